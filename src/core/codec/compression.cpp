#include "core/codec/compression.h"

#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>

#include "core/base/format.h"

namespace steward {

/// zstd's fastest level with the full search for literals; those below lose ratio on content that hardly compresses, too.
static constexpr int kFastLevel = -1;
/// Frames in a row that may be done fast: the level asked for might find what the fast one does not.
static constexpr int kFastFrames = 31;

/// Whether compressing saved less than an eighth.
static bool hardly_shrinks(size_t stored, size_t plain) { return stored > plain - plain / 8; }

Result<Compression> parse_compression(std::string_view text) {
    if (text == "none") return Compression{Codec::kNone, 0};
    if (text == "zstd") return Compression{};
    if (text.starts_with("zstd:")) {
        const std::string_view number = text.substr(5);
        int level = 0;
        const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), level);
        if (problem == std::errc() && end == number.data() + number.size() && level >= 1 && level <= 19) return Compression{Codec::kZstd, level};
    }
    return Error(ErrorCode::invalid_argument, formatted("unknown compression \"{}\"", text))
        .hint("Use \"none\", \"zstd\" or \"zstd:LEVEL\" with a level from 1 to 19.");
}

std::string to_string(const Compression& compression) {
    return compression.codec == Codec::kNone ? std::string("none") : formatted("zstd:{}", compression.level);
}

void FrameCompressor::Release::operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }

FrameCompressor::FrameCompressor(Compression compression, Pace pace) : pace_(pace) {
    if (compression.codec != Codec::kZstd) return;
    thorough_ = make_context(compression.level);
    fast_ = make_context(kFastLevel);
}

FrameCompressor::FrameCompressor(FrameCompressor&&) noexcept = default;
FrameCompressor::~FrameCompressor() = default;

FrameCompressor::Context FrameCompressor::make_context(int level) {
    Context context(ZSTD_createCCtx());
    if (!context) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
    // The object's own digests cover the content, and its index holds the sizes.
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 0);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
    return context;
}

size_t FrameCompressor::compress_in_steps(ZSTD_CCtx_s& context, ByteView plain, MutableByteView room) const {
    ZSTD_outBuffer stored{room.data(), room.size(), 0};
    ZSTD_CCtx_reset(&context, ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(&context, plain.size());  // as ZSTD_compress2: windows and tables of that size
    for (size_t begin = 0; begin < plain.size(); begin += Pace::kHeavyStep) {
        const ByteView step = plain.subspan(begin, std::min(Pace::kHeavyStep, plain.size() - begin));
        const bool last = begin + step.size() == plain.size();
        ZSTD_inBuffer input{step.data(), step.size(), 0};
        const size_t left = ZSTD_compressStream2(&context, &stored, &input, last ? ZSTD_e_end : ZSTD_e_flush);
        if (left != 0) throw std::bad_alloc();  // an error: the room is for the bound, so that nothing is left to be flushed
        pace_.step_done();
    }
    return stored.pos;
}

size_t FrameCompressor::compress(ZSTD_CCtx_s& context, ByteView plain, MutableByteView room) const {
    if (pace_.is_considerate()) return compress_in_steps(context, plain, room);
    const size_t stored = ZSTD_compress2(&context, room.data(), room.size(), plain.data(), plain.size());
    if (ZSTD_isError(stored)) throw std::bad_alloc();  // with room for the bound, only memory can fail
    return stored;
}

size_t FrameCompressor::compress_adaptively(ByteView plain, MutableByteView room) {
    if (fast_frames_ > 0) {
        const size_t stored = compress(*fast_, plain, room);
        if (hardly_shrinks(stored, plain.size())) {
            --fast_frames_;
            return stored;
        }
    }
    const size_t stored = compress(*thorough_, plain, room);
    fast_frames_ = hardly_shrinks(stored, plain.size()) ? kFastFrames : 0;
    return stored;
}

size_t FrameCompressor::append(ByteView plain, Bytes& out) {
    const size_t before = out.size();
    if (thorough_ && !plain.empty()) {
        out.resize(before + ZSTD_compressBound(plain.size()));
        const size_t stored = compress_adaptively(plain, MutableByteView(out).subspan(before));
        if (stored < plain.size()) {
            out.resize(before + stored);
            return stored;
        }
        out.resize(before);
    }
    out.insert(out.end(), plain.begin(), plain.end());
    return plain.size();
}

void FrameDecompressor::Release::operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }

FrameDecompressor::FrameDecompressor() : context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
}
FrameDecompressor::FrameDecompressor(FrameDecompressor&&) noexcept = default;
FrameDecompressor::~FrameDecompressor() = default;

Result<void> FrameDecompressor::restore(Codec codec, ByteView stored, MutableByteView plain) {
    if (stored.size() == plain.size()) {
        copy_bytes(stored, plain.data());
        return {};
    }
    if (codec != Codec::kZstd) return Error(ErrorCode::corrupt_object, "stored frame has a wrong size");
    const size_t n = ZSTD_decompressDCtx(context_.get(), plain.data(), plain.size(), stored.data(), stored.size());
    if (ZSTD_isError(n)) return Error(ErrorCode::corrupt_object, formatted("could not decompress frame: {}", ZSTD_getErrorName(n)));
    if (n != plain.size()) return Error(ErrorCode::corrupt_object, formatted("frame holds {} bytes instead of {}", n, plain.size()));
    return {};
}

}  // namespace steward
