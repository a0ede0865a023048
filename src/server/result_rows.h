// Rows of a set-returning function, column by column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/boundary.h"

namespace steward {

/// What the function returns a set of.
enum class RowShape { kRecord, kSingleValue };

/// Collects the rows that a set-returning SQL function returns. Values are Datums made with the server's own macros; text
/// goes through `text`. One object per call, made first: it checks that the caller accepts a set.
class ResultRows {
public:
    static Result<ResultRows> begin(FunctionCallInfo call, RowShape shape = RowShape::kRecord) {
        // A set of plain values has no row type of its own: the caller's is taken.
        const uint32 flags = shape == RowShape::kSingleValue ? MAT_SRF_USE_EXPECTED_DESC : 0;
        TRY(call_server([=] { InitMaterializedSRF(call, flags); }));
        return ResultRows(reinterpret_cast<ReturnSetInfo*>(call->resultinfo));
    }

    ResultRows& text(std::string_view value) {
        if (value.empty()) return null();
        return add(0, false, value);
    }
    ResultRows& number(int64 value) { return add(Int64GetDatum(value), false); }
    ResultRows& integer(int32 value) { return add(Int32GetDatum(value), false); }
    ResultRows& real(double value) { return add(Float8GetDatum(value), false); }
    ResultRows& boolean(bool value) { return add(BoolGetDatum(value), false); }
    ResultRows& lsn(uint64 value) { return value == 0 ? null() : add(UInt64GetDatum(value), false); }
    ResultRows& time(TimestampTz value) { return value == 0 ? null() : add(TimestampTzGetDatum(value), false); }
    ResultRows& null() { return add(0, true); }

    /// Finish the row. Errors: server_raised.
    Result<void> end_row();

private:
    struct Column {
        Datum value;
        bool null;
        std::string text;
    };

    explicit ResultRows(ReturnSetInfo* set) : set_(set) {}
    ResultRows& add(Datum value, bool null, std::string_view text = {}) {
        columns_.push_back({value, null, std::string(text)});
        return *this;
    }

    ReturnSetInfo* set_;
    std::vector<Column> columns_;
};

}  // namespace steward
