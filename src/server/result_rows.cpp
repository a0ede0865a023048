#include "server/result_rows.h"

#include <array>

namespace steward {

Result<void> ResultRows::end_row() {
    constexpr size_t kMaxColumns = 32;
    std::array<Datum, kMaxColumns> values{};
    std::array<bool, kMaxColumns> nulls{};
    std::array<const char*, kMaxColumns> texts{};
    std::array<size_t, kMaxColumns> lengths{};
    const size_t count = columns_.size();
    if (count > kMaxColumns || static_cast<int>(count) != set_->setDesc->natts)
        return Error(ErrorCode::internal, "a function returns another number of columns than it declares")
            .hint("Run ALTER EXTENSION pg_steward UPDATE: the extension's SQL and its library are of different releases.");
    for (size_t i = 0; i < count; ++i) {
        values[i] = columns_[i].value;
        nulls[i] = columns_[i].null;
        if (!columns_[i].text.empty()) {
            texts[i] = columns_[i].text.data();
            lengths[i] = columns_[i].text.size();
        }
    }
    ReturnSetInfo* set = set_;
    Result<void> put = call_server([&values, &nulls, &texts, &lengths, set, count] {
        for (size_t i = 0; i < count; ++i)
            if (texts[i] != nullptr) values[i] = PointerGetDatum(cstring_to_text_with_len(texts[i], static_cast<int>(lengths[i])));
        tuplestore_putvalues(set->setResult, set->setDesc, values.data(), nulls.data());
    });
    columns_.clear();
    return put;
}

}  // namespace steward
