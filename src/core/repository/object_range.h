// Reading parts of an object: only the frames that are needed, several at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/repository/repository.h"

namespace steward {

/// Reads ranges of objects' content, checking the digest of every frame. For one thread; keeps its buffers.
class ObjectRangeReader {
public:
    /// Plain bytes fetched and restored in one step.
    static constexpr uint64_t kBatch = 4 * 1024 * 1024;

    /// Restore frames `first` to `last` (included, at most kBatch of content) of the object with this head. The view lives until the next
    /// call. Errors: corrupt_object naming the object when a frame is damaged or cut off, as Storage::read.
    Result<ByteView> read_frames(const Repository& repository, const std::string& key, const ObjectHead& head, size_t first, size_t last);

    /// Call `use` with all content, piece by piece. Errors: as read_frames, those of `use`.
    Result<void> read_all(const Repository& repository, const std::string& key, const ObjectHead& head,
                          const std::function<Result<void>(ByteView)>& use);

private:
    Bytes plain_;
    FrameDecompressor decompressor_;
};

/// Read the first `length` bytes of an object's content, fewer when it is shorter. Errors: not_found, corrupt_object, as Storage::read.
Result<Bytes> read_beginning(const Repository& repository, const std::string& key, ObjectKind kind, uint64_t length);

}  // namespace steward
