#include "core/repository/object_range.h"

#include <algorithm>

#include "core/base/format.h"

namespace steward {

Result<ByteView> ObjectRangeReader::read_frames(const Repository& repository, const std::string& key, const ObjectHead& head, size_t first,
                                                size_t last) {
    const uint64_t begin = head.frames[first].stored_offset;
    const uint64_t end = head.frames[last].stored_offset + head.frames[last].stored_length;
    TRY_ASSIGN(const Bytes stored, repository.storage().read(key, begin, end - begin));
    if (stored.size() != end - begin)
        return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is corrupt", key))
            .detail(formatted("It ends at byte {} instead of {}.", begin + stored.size(), head.object_size()))
            .object(key);

    plain_.resize((last - first) * uint64_t{head.frame_size} + head.plain_length_of(last));
    for (size_t frame = first; frame <= last; ++frame) {
        const FrameInfo& info = head.frames[frame];
        const ByteView from = ByteView(stored).subspan(info.stored_offset - begin, info.stored_length);
        const MutableByteView into = MutableByteView(plain_).subspan((frame - first) * uint64_t{head.frame_size}, head.plain_length_of(frame));
        TRY(restore_frame(head, frame, from, into, decompressor_, key));
    }
    return ByteView(plain_);
}

Result<void> ObjectRangeReader::read_all(const Repository& repository, const std::string& key, const ObjectHead& head,
                                         const std::function<Result<void>(ByteView)>& use) {
    const size_t batch = std::max<size_t>(1, kBatch / head.frame_size);
    for (size_t first = 0; first < head.frames.size(); first += batch) {
        TRY_ASSIGN(const ByteView content, read_frames(repository, key, head, first, std::min(first + batch, head.frames.size()) - 1));
        TRY(use(content));
    }
    return {};
}

Result<Bytes> read_beginning(const Repository& repository, const std::string& key, ObjectKind kind, uint64_t length) {
    TRY_ASSIGN(const ObjectHead head, repository.load_head(key, kind));
    Bytes beginning;
    ObjectRangeReader reader;
    for (size_t frame = 0; frame < head.frames.size() && beginning.size() < length; ++frame) {
        TRY_ASSIGN(const ByteView content, reader.read_frames(repository, key, head, frame, frame));
        beginning.insert(beginning.end(), content.begin(), content.end());
    }
    beginning.resize(std::min<uint64_t>(beginning.size(), length));
    return beginning;
}

}  // namespace steward
