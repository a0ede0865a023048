// The manifest: what a backup consists of and where every byte of it is stored. It is the backup's commit.
//
// Content of the object: JSON, one object a line (docs/repository-format.md). First the summary, then the label file, packs,
// tablespaces, directories, files, and an "end" line, without which the manifest is not whole:
//
//   {"type":"backup", ...}                                         render_summary
//   {"type":"label","backup_label":"...","tablespace_map":"..."}
//   {"type":"pack","set":"...","number":1,"length":N,"stored":N}   numbered from 0 in their order here
//   {"type":"tablespace","oid":16384,"location":"/srv/fast"}
//   {"type":"directory","path":"base/5","mode":448}
//   {"type":"file","path":"base/5/1259","size":N,"mode":384,"modified":"...","crc32c":"0a1b2c3d","runs":[[offset,length,pack,pack_offset],...]}
//   {"type":"end","files":N}
//
// A path is relative to the data directory, with slashes. Any text that is not valid UTF-8 stands in hexadecimal under its
// member's name with "_hex" appended ("path_hex"). Runs are in order of offset and do not overlap; what lies between them, and
// up to the size, is zero. The directory "pg_tblspc/OID" of a tablespace with a location stands for the link's target: its mode
// is the target's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"
#include "core/repository/backup_summary.h"

namespace steward {

/// A pack that holds content of this backup. Later backups may refer to it too.
struct ManifestPack {
    std::string set;
    unsigned number = 0;
    uint64_t length = 0;  ///< bytes of content
    uint64_t stored = 0;  ///< bytes of the object
    uint64_t table = 0;   ///< where in the content the table of page digests begins, which goes to its end; 0: there is none (page_table.h)

    /// Bytes of files in it.
    uint64_t data_length() const { return table == 0 ? length : table; }
};

struct ManifestTablespace {
    uint32_t oid = 0;
    std::string location;  ///< absolute path at backup time; empty for one inside the data directory
};

struct ManifestDirectory {
    std::string path;
    uint32_t mode = 0700;
};

/// `length` bytes of a file, stored in one piece.
struct ManifestRun {
    uint64_t offset = 0;  ///< in the file
    uint64_t length = 0;
    uint32_t pack = 0;    ///< index into Manifest::packs
    uint64_t pack_offset = 0;  ///< in the pack's content
};

constexpr bool are_in_one_pack(const ManifestRun& one, const ManifestRun& other) { return one.pack == other.pack; }

struct ManifestFile {
    std::string path;
    uint64_t size = 0;
    uint32_t mode = 0600;
    TimePoint modified;
    /// Of the whole file as restored, in PostgreSQL's convention (what pg_verifybackup compares). Nothing when parts of it were not read.
    std::optional<uint32_t> crc32c;
    std::optional<Digest> digest;  ///< of the whole content; small files that do not consist of pages have it
    std::vector<ManifestRun> runs;
};

struct Manifest {
    BackupSummary summary;
    std::string backup_label;    ///< content of the file "backup_label"
    std::string tablespace_map;  ///< content of the file "tablespace_map"; may be empty
    std::vector<ManifestPack> packs;
    std::vector<ManifestTablespace> tablespaces;
    std::vector<ManifestDirectory> directories;  ///< parents before children
    std::vector<ManifestFile> files;             ///< in byte order of the paths
};

/// Render the manifest's content. summary.files and data_bytes are taken as they are.
std::string render_manifest(const Manifest& manifest);

/// Parse and check: runs within their packs, in order, within the size; paths relative, without ".." and unique; the end line there.
/// Errors: corrupt_object with the line number.
Result<Manifest> parse_manifest(std::string_view content);

}  // namespace steward
