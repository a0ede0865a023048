#include "core/repository/object.h"

#include <algorithm>
#include <bit>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::string_view kMagic = "PGSTEWRD";
constexpr uint8_t kCipherNone = 0;
constexpr uint8_t kDigestXxh3 = 1;
constexpr uint32_t kMinFrameSize = 4 * 1024;
constexpr uint32_t kMaxFrameSize = 16 * 1024 * 1024;
/// 4 TiB of content at the default frame size; keeps a forged header from asking for absurd memory.
constexpr uint32_t kMaxFrames = 1u << 24;

namespace at {
constexpr size_t kVersion = 8, kKind = 10, kCodec = 11, kCipher = 12, kDigestAlgorithm = 13, kReserved1 = 14, kKeyId = 16;
constexpr size_t kSystemIdentifier = 32, kPlainLength = 40, kContentDigest = 48, kFrameSizeField = 64, kFrameCount = 68, kPayloadLength = 72;
constexpr size_t kReserved2 = 80, kHeadDigest = 112;
}  // namespace at

Error corrupt(std::string_view key, std::string detail) {
    return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is corrupt", key)).detail(std::move(detail)).object(std::string(key));
}

bool all_zero(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

Digest root_digest(uint64_t plain_length, uint32_t frame_size, const std::vector<FrameInfo>& frames) {
    Bytes text(12 + frames.size() * sizeof(Digest::bytes));
    store_le(text.data(), plain_length);
    store_le(text.data() + 8, frame_size);
    std::byte* place = text.data() + 12;
    for (const FrameInfo& frame : frames) place = std::ranges::copy(frame.digest.bytes, place).out;
    return digest_of(text);
}

Digest head_digest(ByteView head) {
    Bytes covered(head.begin(), head.begin() + at::kHeadDigest);
    covered.insert(covered.end(), head.begin() + kObjectHeaderSize, head.end());
    return digest_of(covered);
}

Digest digest_at(const std::byte* place) {
    Digest digest;
    std::copy_n(place, digest.bytes.size(), digest.bytes.begin());
    return digest;
}

Bytes render_head(ObjectKind kind, Codec codec, uint64_t system_identifier, uint64_t plain_length, uint64_t payload_length,
                  const Digest& content_digest, const std::vector<FrameInfo>& frames) {
    Bytes head(kObjectHeaderSize + frames.size() * kIndexEntrySize);
    std::byte* h = head.data();
    std::fill_n(h, kObjectHeaderSize, std::byte{0});
    std::ranges::copy(as_bytes(kMagic), h);
    store_le(h + at::kVersion, format_version_of(kind));
    h[at::kKind] = std::byte(kind);
    h[at::kCodec] = std::byte(codec);
    h[at::kCipher] = std::byte{kCipherNone};
    h[at::kDigestAlgorithm] = std::byte{kDigestXxh3};
    store_le(h + at::kSystemIdentifier, system_identifier);
    store_le(h + at::kPlainLength, plain_length);
    std::ranges::copy(content_digest.bytes, h + at::kContentDigest);
    store_le(h + at::kFrameSizeField, kFrameSize);
    store_le(h + at::kFrameCount, static_cast<uint32_t>(frames.size()));
    store_le(h + at::kPayloadLength, payload_length);
    std::byte* entry = h + kObjectHeaderSize;
    for (const FrameInfo& frame : frames) {
        store_le(entry, frame.stored_length);
        std::ranges::copy(frame.digest.bytes, entry + 4);
        entry += kIndexEntrySize;
    }
    std::ranges::copy(head_digest(head).bytes, h + at::kHeadDigest);
    return head;
}

}  // namespace

std::string_view name_of(ObjectKind kind) {
    switch (kind) {
        case ObjectKind::kIdentity: return "identity";
        case ObjectKind::kWalSegment: return "WAL segment";
        case ObjectKind::kTimelineHistory: return "timeline history";
        case ObjectKind::kBackupHistory: return "backup history";
        case ObjectKind::kPack: return "pack";
        case ObjectKind::kManifest: return "manifest";
        case ObjectKind::kWalTail: return "WAL tail";
        case ObjectKind::kRestorePoint: return "restore point";
        case ObjectKind::kGap: return "gap";
        case ObjectKind::kPin: return "pin";
        case ObjectKind::kLease: return "lease";
        case ObjectKind::kVerification: return "verification record";
        case ObjectKind::kDrill: return "drill record";
    }
    return "unknown";
}

uint16_t format_version_of(ObjectKind kind) { return kind < ObjectKind::kManifest ? 1 : 2; }

uint64_t ObjectHead::object_size() const {
    if (frames.empty()) return kObjectHeaderSize;
    return frames.back().stored_offset + frames.back().stored_length;
}

uint32_t ObjectHead::plain_length_of(size_t frame) const {
    return static_cast<uint32_t>(std::min<uint64_t>(frame_size, plain_length - frame * uint64_t{frame_size}));
}

void ObjectBuilder::filled(size_t n) {
    filled_ += n;
    if (filled_ == frame_.size()) close_frame();
}

void ObjectBuilder::add(ByteView content) {
    while (!content.empty()) {
        const size_t n = std::min(content.size(), room().size());
        copy_bytes(content.first(n), room().data());
        filled(n);
        content = content.subspan(n);
    }
}

void ObjectBuilder::prepare(uint64_t content, Bytes spent) {
    payload_ = std::move(spent);
    payload_.clear();
    // No frame grows, but the compressor wants some room beyond the last one. What is not used of this is never touched.
    payload_.reserve(content + 2 * uint64_t{kFrameSize});
}

void ObjectBuilder::close_frame() {
    const ByteView plain = ByteView(frame_).first(filled_);
    FrameInfo frame;
    frame.digest = digest_of(plain);
    frame.stored_length = static_cast<uint32_t>(compressor_.append(plain, payload_));
    frames_.push_back(frame);
    plain_length_ += filled_;
    filled_ = 0;
}

BuiltObject ObjectBuilder::finish(ObjectKind kind, uint64_t system_identifier) {
    if (filled_ > 0) close_frame();
    BuiltObject object;
    object.content_digest = root_digest(plain_length_, kFrameSize, frames_);
    object.plain_length = std::exchange(plain_length_, 0);
    object.head = render_head(kind, compression_.codec, system_identifier, object.plain_length, payload_.size(), object.content_digest, frames_);
    object.payload = std::exchange(payload_, {});
    frames_.clear();
    return object;
}

BuiltObject build_object(ObjectKind kind, uint64_t system_identifier, ByteView content, Compression compression) {
    ObjectBuilder builder(compression);
    builder.add(content);
    return builder.finish(kind, system_identifier);
}

Digest content_digest_of(ByteView content) {
    std::vector<FrameInfo> frames;
    for (size_t offset = 0; offset < content.size(); offset += kFrameSize)
        frames.push_back({0, digest_of(content.subspan(offset, std::min<size_t>(kFrameSize, content.size() - offset))), 0});
    return root_digest(content.size(), kFrameSize, frames);
}

Result<size_t> object_head_size(ByteView beginning, std::string_view key) {
    if (beginning.size() < kObjectHeaderSize)
        return corrupt(key, formatted("It has {} bytes, fewer than a header.", beginning.size()));
    const std::byte* h = beginning.data();
    if (as_text(beginning.first(kMagic.size())) != kMagic) return corrupt(key, "It does not begin with the magic of pg_steward's objects.");
    const auto version = load_le<uint16_t>(h + at::kVersion);
    if (version == 0 || version > kFormatVersion)
        return Error(ErrorCode::unsupported_format, formatted("object \"{}\" has format version {}", key, version))
            .detail(formatted("This release knows versions 1 to {}.", kFormatVersion))
            .hint("Use the pg_steward release that wrote the repository, or a newer one.")
            .object(std::string(key));
    const auto frames = load_le<uint32_t>(h + at::kFrameCount);
    if (frames > kMaxFrames) return corrupt(key, "Its header counts an impossible number of frames.");
    return kObjectHeaderSize + frames * kIndexEntrySize;
}

Result<ObjectHead> parse_object_head(ByteView beginning, const ExpectedObject& expected) {
    TRY_ASSIGN(const size_t head_size, object_head_size(beginning, expected.key));
    if (beginning.size() < head_size) return corrupt(expected.key, "It ends within its index.");
    beginning = beginning.first(head_size);
    const std::byte* h = beginning.data();
    if (head_digest(beginning) != digest_at(h + at::kHeadDigest))
        return corrupt(expected.key, formatted("The digest of its header and index is {}, not {} as recorded.",
                                               to_string(head_digest(beginning)), to_string(digest_at(h + at::kHeadDigest))));

    const auto unsupported = [&](std::string_view what, unsigned number) {
        return Error(ErrorCode::unsupported_format, formatted("object \"{}\" uses {} {}", expected.key, what, number))
            .hint("Use the pg_steward release that wrote the repository, or a newer one.")
            .object(std::string(expected.key));
    };
    const auto codec = std::to_integer<uint8_t>(h[at::kCodec]);
    if (codec > static_cast<uint8_t>(Codec::kZstd)) return unsupported("codec", codec);
    if (h[at::kCipher] != std::byte{kCipherNone}) return unsupported("cipher", std::to_integer<unsigned>(h[at::kCipher]));
    if (h[at::kDigestAlgorithm] != std::byte{kDigestXxh3}) return unsupported("digest algorithm", std::to_integer<unsigned>(h[at::kDigestAlgorithm]));
    if (!all_zero(beginning.subspan(at::kReserved1, 18)) || !all_zero(beginning.subspan(at::kReserved2, 32)))
        return corrupt(expected.key, "Reserved bytes of its header are not zero.");

    ObjectHead head;
    head.kind = static_cast<ObjectKind>(h[at::kKind]);
    head.codec = static_cast<Codec>(codec);
    head.system_identifier = load_le<uint64_t>(h + at::kSystemIdentifier);
    head.plain_length = load_le<uint64_t>(h + at::kPlainLength);
    head.content_digest = digest_at(h + at::kContentDigest);
    head.frame_size = load_le<uint32_t>(h + at::kFrameSizeField);
    if (head.kind != expected.kind)
        return corrupt(expected.key, formatted("It is of kind {} instead of {}.", name_of(head.kind), name_of(expected.kind)));
    if (head.system_identifier != expected.system_identifier)
        return Error(ErrorCode::foreign_repository, formatted("object \"{}\" belongs to another database cluster", expected.key))
            .detail(formatted("It has system identifier {}, expected {}.", head.system_identifier, expected.system_identifier))
            .object(std::string(expected.key));
    if (head.frame_size < kMinFrameSize || head.frame_size > kMaxFrameSize || !std::has_single_bit(head.frame_size))
        return corrupt(expected.key, "Its frame size is impossible.");
    // Not "plain length + frame size - 1": a forged length would overflow, and ask for all memory without a single frame.
    const uint64_t frame_count = head.plain_length / head.frame_size + (head.plain_length % head.frame_size != 0 ? 1 : 0);
    if (frame_count != load_le<uint32_t>(h + at::kFrameCount)) return corrupt(expected.key, "Its number of frames does not fit its length.");

    uint64_t offset = head_size;
    head.frames.reserve(frame_count);
    for (const std::byte* entry = h + kObjectHeaderSize; entry < h + head_size; entry += kIndexEntrySize) {
        head.frames.push_back({load_le<uint32_t>(entry), digest_at(entry + 4), offset});
        if (head.frames.back().stored_length > head.frame_size) return corrupt(expected.key, "A frame's stored length is impossible.");
        offset += head.frames.back().stored_length;
    }
    if (offset - head_size != load_le<uint64_t>(h + at::kPayloadLength)) return corrupt(expected.key, "Its payload length does not fit its frames.");
    if (root_digest(head.plain_length, head.frame_size, head.frames) != head.content_digest)
        return corrupt(expected.key, "Its content digest does not fit its frames.");
    return head;
}

Result<void> restore_frame(const ObjectHead& head, size_t frame, ByteView stored, MutableByteView plain, FrameDecompressor& decompressor,
                           std::string_view key) {
    const FrameInfo& expected = head.frames[frame];
    if (stored.size() != expected.stored_length || plain.size() != head.plain_length_of(frame))
        return corrupt(key, formatted("It ends within frame {} of {}.", frame, head.frames.size()));
    if (Result<void> restored = decompressor.restore(head.codec, stored, plain); !restored.ok())
        return corrupt(key, formatted("Frame {} of {}: {}.", frame, head.frames.size(), restored.error().message()));
    if (const Digest found = digest_of(plain); found != expected.digest)
        return corrupt(key, formatted("The digest of frame {} of {} is {}, not {} as recorded.", frame, head.frames.size(), to_string(found),
                                      to_string(expected.digest)));
    return {};
}

Result<Bytes> open_object(ByteView object, const ExpectedObject& expected) {
    TRY_ASSIGN(const ObjectHead head, parse_object_head(object, expected));
    if (object.size() != head.object_size())
        return corrupt(expected.key, formatted("It has {} bytes instead of {}.", object.size(), head.object_size()));
    if (head.plain_length > kMaxContentInMemory)
        return corrupt(expected.key, formatted("It claims to hold {} bytes of content.", head.plain_length));
    Bytes content(head.plain_length);
    FrameDecompressor decompressor;
    for (size_t i = 0; i < head.frames.size(); ++i) {
        const MutableByteView plain = MutableByteView(content).subspan(i * uint64_t{head.frame_size}, head.plain_length_of(i));
        TRY(restore_frame(head, i, object.subspan(head.frames[i].stored_offset, head.frames[i].stored_length), plain, decompressor, expected.key));
    }
    return content;
}

}  // namespace steward
