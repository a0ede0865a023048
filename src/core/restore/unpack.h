// Writing a backup's files: content of packs to where it belongs, in parallel.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/restore/content_comparison.h"
#include "core/restore/restore_progress.h"
#include "core/restore/target_directory.h"

namespace steward {

/// The control file goes in last: without it nothing can be started from an unfinished restore. Until then it has this name.
inline constexpr std::string_view kControlFile = "global/pg_control";
inline constexpr std::string_view kPendingControlFile = "global/pg_control.pg_steward";

/// Unpacks one manifest into a prepared directory, without what does not belong there (surplus.h). Files of the backup may be there:
/// what is right in them is kept. The steps are called in their order; everything borrowed outlives it.
class Unpacker {
public:
    struct Destination {
        std::filesystem::path directory;
        std::optional<FileOwner> owner;
        int workers = 2;
    };

    /// `repositories` are tried in order for each pack; the first is the one that served the manifest.
    Unpacker(const Manifest& manifest, std::vector<const Repository*> repositories, Destination destination, Log& log, RestoreProgress& progress)
        : manifest_(manifest), repositories_(std::move(repositories)), destination_(std::move(destination)), log_(log), progress_(progress) {}

    /// Make the directories with their modes; those that exist (links to tablespaces) stay.
    Result<void> create_directories() const;
    /// Make every file with its size, without content: what no run covers stays zero. Of those that are there, what can be compared with
    /// the backup stays. One that has other names too is made anew: it is another cluster's as well (pg_upgrade --link).
    Result<void> create_files(const CancelToken& cancel);
    /// Bytes that were there and are worth comparing.
    uint64_t present_bytes() const;
    /// Find out what of it is right.
    Result<void> compare_content(const CancelToken& cancel);
    /// Bytes that write_content writes.
    uint64_t missing_bytes() const;
    /// Fill in the content that is missing. A pack that one repository holds damaged or not at all is taken from the next. Errors: those of the
    /// last repository tried, naming the object.
    Result<void> write_content(const CancelToken& cancel);
    /// The CRC-32C of each file in the manifest's order: from the manifest or, where it has none, of what was written and what was kept.
    std::vector<uint32_t> checksums() const;
    /// Give every file its mode and flush it, and every directory. On return all of it survives a crash.
    Result<void> sync(const CancelToken& cancel) const;

    std::filesystem::path path_of(const ManifestFile& file) const;

private:
    /// A run, as seen from its pack.
    struct PackRun {
        uint64_t pack_offset;
        uint64_t length;
        size_t file;
        uint64_t file_offset;
        uint32_t* crc;  ///< nullptr where the manifest knows the file's
    };
    class PackWriter;

    std::vector<std::vector<PackRun>> runs_by_pack();
    /// What of a file is to be written.
    std::span<const ManifestRun> runs_of(size_t file) const;
    uint32_t checksum_of(size_t file) const;
    Result<void> create_file(size_t file);
    Result<uint64_t> make_room(const ManifestFile& file) const;
    Result<void> sync_content(const ManifestFile& file) const;
    Result<void> write_pack(PackWriter& writer, uint32_t pack, std::span<const PackRun> runs) const;
    /// Call `work` with every number below `count`, on all workers.
    Result<void> for_each(size_t count, const CancelToken& cancel, const std::function<Result<void>(size_t)>& work) const;

    const Manifest& manifest_;
    std::vector<const Repository*> repositories_;
    Destination destination_;
    Log& log_;
    RestoreProgress& progress_;
    std::vector<uint64_t> present_;                      ///< by file: bytes that were there
    std::vector<std::optional<ComparedFile>> compared_;  ///< by file: those that were there
    std::vector<std::vector<uint32_t>> run_crcs_;        ///< by file: of each of its runs_of, where the manifest has no CRC of the file
};

}  // namespace steward
