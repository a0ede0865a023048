// The container of every stored object: a header that says what it is, an index of frames, the frames.
//
// Format version 1, all numbers little-endian (docs/repository-format.md has the same table and the golden repository of
// the tests holds it to it):
//
//   offset size
//        0    8  magic "PGSTEWRD"
//        8    2  format version, 1
//       10    1  kind (ObjectKind)
//       11    1  codec (Codec)
//       12    1  cipher, 0 = none
//       13    1  digest algorithm, 1 = XXH3-128
//       14    2  zero
//       16   16  key id, zero without encryption
//       32    8  system identifier of the database cluster, 0 where the object belongs to none
//       40    8  plain length: bytes of content
//       48   16  content digest (below)
//       64    4  plain bytes of a frame (the last one may be shorter), a power of two from 4 KiB to 16 MiB
//       68    4  number of frames
//       72    8  payload length: bytes of all stored frames
//       80   32  zero
//      112   16  head digest: of bytes 0..111 followed by the index
//      128       index: for every frame 4 bytes stored length, 16 bytes digest of its plain content
//                frames, one after the other; stored length equal to plain length means not compressed
//
// The content digest is the digest of: plain length (8 bytes), frame size (4 bytes), the frames' digests in order. So it
// is one for equal content whatever codec and level stored it, and a range of frames can be checked without the others.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/compression.h"
#include "core/crypto/digest.h"

namespace steward {

/// The numbers are part of the repository format.
enum class ObjectKind : uint8_t {
    kIdentity = 1,
    kWalSegment = 2,
    kTimelineHistory = 3,
    kBackupHistory = 4,
    kPack = 5,
    kManifest = 6,
    kWalTail = 7,
    kRestorePoint = 8,
    kGap = 9,
    kPin = 10,
    kLease = 11,
    kVerification = 12,
    kDrill = 13,
};

/// The word for people: "WAL segment", "pack".
std::string_view name_of(ObjectKind kind);

/// The newest version of the format that this release reads.
inline constexpr uint16_t kFormatVersion = 2;
/// The version that objects of `kind` are written with: the oldest one that describes them, so that older releases go on reading
/// what they can understand.
uint16_t format_version_of(ObjectKind kind);

inline constexpr size_t kObjectHeaderSize = 128;
inline constexpr size_t kIndexEntrySize = 20;
/// 256 KiB keeps a frame and zstd's tables for it in the second-level cache: 20% faster than whole segments at equal ratio.
inline constexpr uint32_t kFrameSize = 256 * 1024;

/// Most content that open_object restores at once: twice the largest WAL segment. Larger ones are read by frames.
inline constexpr uint64_t kMaxContentInMemory = uint64_t{2} << 30;

struct FrameInfo {
    uint32_t stored_length = 0;
    Digest digest;
    uint64_t stored_offset = 0;  ///< from the beginning of the object; derived
};

/// Header and index of an object, checked.
struct ObjectHead {
    ObjectKind kind;
    Codec codec;
    uint64_t system_identifier;
    uint64_t plain_length;
    Digest content_digest;
    uint32_t frame_size;
    std::vector<FrameInfo> frames;

    /// Bytes of the whole object; a stored object of another size is truncated or has something appended.
    uint64_t object_size() const;
    uint32_t plain_length_of(size_t frame) const;
};

/// An object ready to be put: head and payload, in this order.
struct BuiltObject {
    Bytes head;
    Bytes payload;
    Digest content_digest;
    uint64_t plain_length = 0;

    std::array<ByteView, 2> parts() const { return {ByteView(head), ByteView(payload)}; }
    uint64_t size() const { return head.size() + payload.size(); }
};

/// Builds one object in memory, frame by frame. For one thread; reusable after finish().
class ObjectBuilder {
public:
    explicit ObjectBuilder(Compression compression, Pace pace = Pace::full())
        : compression_(compression), compressor_(compression, pace), frame_(kFrameSize) {}

    /// The unfilled rest of the current frame, never empty: write up to its size there, then call `filled`.
    MutableByteView room() { return MutableByteView(frame_).subspan(filled_); }
    /// Take the first `n` bytes of room() as content.
    void filled(size_t n);
    /// Add content by copying.
    void add(ByteView content);
    /// Content bytes so far: the offset at which the next byte goes.
    uint64_t position() const { return plain_length_ + filled_; }
    /// Bytes stored so far, without the frame being filled.
    uint64_t stored_size() const { return payload_.size(); }

    /// Close the object and leave the builder empty for the next one.
    BuiltObject finish(ObjectKind kind, uint64_t system_identifier);

    /// Make ready for an object of `content` bytes, which is worth it for large ones: growing costs copies, and the kernel clears
    /// every page it gives. Takes the memory of a former object's payload, which may be empty. The builder is empty.
    void prepare(uint64_t content, Bytes spent);

private:
    void close_frame();

    Compression compression_;
    FrameCompressor compressor_;
    Bytes frame_;
    size_t filled_ = 0;
    uint64_t plain_length_ = 0;
    std::vector<FrameInfo> frames_;
    Bytes payload_;
};

/// Build an object whose content is all there already.
BuiltObject build_object(ObjectKind kind, uint64_t system_identifier, ByteView content, Compression compression);

/// The content digest an object of this content has, without building it.
Digest content_digest_of(ByteView content);

/// What a reader knows about the object it asked for. `key` is for messages.
struct ExpectedObject {
    std::string_view key;
    ObjectKind kind;
    uint64_t system_identifier;
};

/// How many bytes from the beginning hold header and index, told from the first kObjectHeaderSize bytes.
/// Errors: corrupt_object, unsupported_format.
Result<size_t> object_head_size(ByteView beginning, std::string_view key);

/// Parse and check header and index from the first object_head_size() bytes (more may follow).
/// Errors: corrupt_object, unsupported_format; foreign_repository when the system identifier differs.
Result<ObjectHead> parse_object_head(ByteView beginning, const ExpectedObject& expected);

/// Restore frame number `frame` from its stored bytes and check its digest. Errors: corrupt_object, naming key and frame.
Result<void> restore_frame(const ObjectHead& head, size_t frame, ByteView stored, MutableByteView plain, FrameDecompressor& decompressor,
                           std::string_view key);

/// Restore the whole content of an object held in memory; every digest is checked. Errors: as parse_object_head;
/// corrupt_object when it claims more than kMaxContentInMemory.
Result<Bytes> open_object(ByteView object, const ExpectedObject& expected);

}  // namespace steward
