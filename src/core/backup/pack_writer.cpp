#include "core/backup/pack_writer.h"

#include <array>

#include "core/postgres/page.h"

namespace steward {

void PackWriter::expect(uint64_t length) {
    if (builder_.position() == 0) builder_.prepare(length, store_.take_spent_payload());
}

void PackWriter::align_to_page() {
    static constexpr std::array<std::byte, kPageSize> kZeros{};
    if (const size_t excess = builder_.position() % kPageSize; excess != 0) builder_.add(ByteView(kZeros).first(kPageSize - excess));
}

PackPlace PackWriter::place() {
    if (!open_) {
        number_ = next_number_++;
        open_ = true;
    }
    return {number_, builder_.position()};
}

Result<void> PackWriter::close() {
    if (builder_.position() == 0) return {};
    const PackPlace end = place();
    ManifestPack pack{.set = set_, .number = end.number};
    pack.table = table_.append_to(builder_);
    pack.length = builder_.position();
    BuiltObject object = builder_.finish(ObjectKind::kPack, system_identifier_);
    pack.stored = object.size();
    repository_bytes_ += object.size();
    packs_.push_back(pack);
    open_ = false;
    return store_.hand_over(end.number, std::move(object));
}

Result<void> PackWriter::finish() {
    TRY(close());
    return store_.finish();
}

}  // namespace steward
