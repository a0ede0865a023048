#include "core/restore/stored_file.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/format.h"
#include "core/repository/object_range.h"

namespace steward {

namespace {

/// Reads runs from the packs of one repository.
class RunReader {
public:
    RunReader(const Repository& repository, const Manifest& manifest) : repository_(repository), manifest_(manifest) {}

    Result<void> read(const ManifestRun& run, MutableByteView into) {
        const std::string key = repository_.layout().pack(manifest_.packs[run.pack].set, manifest_.packs[run.pack].number);
        if (!heads_.contains(run.pack)) {
            TRY_ASSIGN(ObjectHead loaded, repository_.load_head(key, ObjectKind::kPack));
            heads_.emplace(run.pack, std::move(loaded));
        }
        const ObjectHead& head = heads_.at(run.pack);
        if (run.pack_offset + run.length > head.plain_length)
            return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is shorter than the manifest says", key)).object(key);
        for (uint64_t done = 0; done < run.length;) {
            const uint64_t position = run.pack_offset + done;
            const size_t frame = position / head.frame_size;
            TRY_ASSIGN(const ByteView content, reader_.read_frames(repository_, key, head, frame, frame));
            const ByteView part = content.subspan(position % head.frame_size);
            const size_t length = std::min<uint64_t>(part.size(), run.length - done);
            std::ranges::copy(part.first(length), into.begin() + static_cast<std::ptrdiff_t>(done));
            done += length;
        }
        return {};
    }

private:
    const Repository& repository_;
    const Manifest& manifest_;
    std::map<uint32_t, ObjectHead> heads_;  ///< by pack
    ObjectRangeReader reader_;
};

Result<Bytes> read_from(const Repository& repository, const Manifest& manifest, const ManifestFile& file) {
    Bytes content(file.size, std::byte{0});
    RunReader reader(repository, manifest);
    for (const ManifestRun& run : file.runs) TRY(reader.read(run, MutableByteView(content).subspan(run.offset, run.length)));
    return content;
}

}  // namespace

Result<Bytes> read_stored_file(std::span<const Repository> repositories, size_t first, const Manifest& manifest, const ManifestFile& file) {
    if (file.size > kLargestStoredFile)
        return Error(ErrorCode::invalid_argument, formatted("file \"{}\" has {} bytes, too many to be read at once", file.path, file.size))
            .object(file.path);
    std::optional<Error> failure;
    for (size_t i = 0; i < repositories.size(); ++i) {
        const Repository& repository = repositories[(first + i) % repositories.size()];
        Result<Bytes> content = read_from(repository, manifest, file);
        if (content.ok()) return content;
        if (!failure)
            failure = std::move(content).error().context(formatted("while reading file \"{}\" from repository \"{}\"", file.path, repository.url()));
    }
    return std::move(*failure);
}

}  // namespace steward
