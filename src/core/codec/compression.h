// How a frame of bytes is made smaller: the codecs, and contexts that are reused from frame to frame.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/pace.h"
#include "core/base/result.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace steward {

/// The numbers are part of the repository format.
enum class Codec : uint8_t { kNone = 0, kZstd = 1 };

struct Compression {
    Codec codec = Codec::kZstd;
    int level = 3;  ///< zstd: 1..19
};

/// Parse "none", "zstd" or "zstd:LEVEL". Errors: invalid_argument.
Result<Compression> parse_compression(std::string_view text);

/// The text parse_compression reads.
std::string to_string(const Compression& compression);

/// Compresses independent frames, one after the other; one per thread.
///
/// The level is for content that it helps. After a frame that hardly shrinks (digests, images, what is compressed or encrypted
/// already) the next ones are tried with zstd's fastest level, which finds as little in a quarter of the time; one that shrinks after
/// all is done again with the level asked for (docs/decisions/0006-content-that-hardly-compresses.md).
///
/// At a considerate pace a frame is compressed in steps, each a block of its own.
class FrameCompressor {
public:
    explicit FrameCompressor(Compression compression, Pace pace = Pace::full());
    FrameCompressor(FrameCompressor&&) noexcept;
    ~FrameCompressor();

    /// Append the stored form of `plain` to `out` and return its size. A frame that would not shrink is stored as it is,
    /// which a reader knows by the stored size being the plain one. Exceptions: std::bad_alloc.
    size_t append(ByteView plain, Bytes& out);

private:
    struct Release {
        void operator()(ZSTD_CCtx_s* context) const;
    };
    using Context = std::unique_ptr<ZSTD_CCtx_s, Release>;

    static Context make_context(int level);
    size_t compress(ZSTD_CCtx_s& context, ByteView plain, MutableByteView room) const;
    size_t compress_in_steps(ZSTD_CCtx_s& context, ByteView plain, MutableByteView room) const;
    size_t compress_adaptively(ByteView plain, MutableByteView room);

    Pace pace_;
    Context thorough_;    ///< of the level asked for; empty without compression
    Context fast_;
    int fast_frames_ = 0;  ///< to come before the level asked for is tried again
};

/// Restores frames; one per thread.
class FrameDecompressor {
public:
    FrameDecompressor();
    FrameDecompressor(FrameDecompressor&&) noexcept;
    ~FrameDecompressor();

    /// Fill `plain` from `stored`. Errors: corrupt_object when `stored` is not exactly a frame of that plain size.
    Result<void> restore(Codec codec, ByteView stored, MutableByteView plain);

private:
    struct Release {
        void operator()(ZSTD_DCtx_s* context) const;
    };
    std::unique_ptr<ZSTD_DCtx_s, Release> context_;
};

}  // namespace steward
