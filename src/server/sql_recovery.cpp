// SQL functions about what can be recovered: steward.recovery_window, steward.wal_gaps, steward.restore_points.

#include <memory>

#include "core/base/format.h"
#include "server/boundary.h"
#include "server/report.h"
#include "server/result_rows.h"
#include "server/shared_state.h"

namespace steward {

namespace {

Result<void> add_row(ResultRows& rows, const SharedInterval& interval) {
    rows.integer(static_cast<int32>(interval.timeline))
        .lsn(interval.begin_lsn)
        .lsn(interval.end_lsn)
        .time(interval.begin)
        .time(interval.known_until)
        .text(interval.backup.view());
    return rows.end_row();
}

Result<void> add_row(ResultRows& rows, const SharedGap& gap) {
    rows.integer(static_cast<int32>(gap.timeline))
        .lsn(gap.begin_lsn)
        .lsn(gap.end_lsn)
        .text(gap.reason.view())
        .time(gap.recorded)
        .text(gap.note.view())
        .lsn(gap.before_lsn)
        .time(gap.before)
        .lsn(gap.after_lsn)
        .time(gap.after)
        .text(gap.after_backup.view());
    return rows.end_row();
}

Result<void> add_row(ResultRows& rows, const SharedRestorePoint& point) {
    rows.text(point.name.view())
        .text(point.note.view())
        .integer(static_cast<int32>(point.timeline))
        .lsn(point.lsn)
        .time(point.time)
        .boolean(point.reachable);
    return rows.end_row();
}

/// Return what `member` of the window holds, and say so when that is not all or not up to date.
template <typename Row>
Result<void> window_rows(FunctionCallInfo call, SharedRows<Row> SharedWindow::*member, std::string_view what) {
    TRY_ASSIGN(SharedState * state, require_shared_state());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    // A copy, so that the lock is not held while rows are made: that may raise.
    auto copy = std::make_unique_for_overwrite<SharedRows<Row>>();
    SharedText<1024> error;
    {
        const SharedLock lock(state, LW_SHARED);
        std::memcpy(static_cast<void*>(copy.get()), &(state->window.*member), sizeof *copy);
        error = state->window.error;
    }
    for (int i = 0; i < copy->count; ++i) TRY(add_row(rows, copy->rows[i]));
    if (copy->total > static_cast<uint64>(copy->count))
        TRY(report_warning(Error(ErrorCode::wrong_state, formatted("only the newest {} of {} {} are shown", copy->count, copy->total, what))
                               .hint("\"pg_steward info\" lists all of them.")));
    if (!error.empty())
        TRY(report_warning(Error(ErrorCode::io_error, "what can be recovered is not fully known")
                               .detail(formatted("The WAL engine's last look at the repositories found: {}.", error.view()))
                               .hint("See steward.wal_archive for the state of each repository; \"pg_steward verify\" names what is damaged.")));
    return {};
}

}  // namespace

}  // namespace steward

extern "C" {

PG_FUNCTION_INFO_V1(steward_recovery_window);
PGDLLEXPORT Datum steward_recovery_window(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::window_rows(fcinfo, &steward::SharedWindow::intervals, "intervals"); });
    return (Datum)0;
}

PG_FUNCTION_INFO_V1(steward_wal_gaps);
PGDLLEXPORT Datum steward_wal_gaps(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::window_rows(fcinfo, &steward::SharedWindow::gaps, "gaps"); });
    return (Datum)0;
}

PG_FUNCTION_INFO_V1(steward_restore_points);
PGDLLEXPORT Datum steward_restore_points(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::window_rows(fcinfo, &steward::SharedWindow::restore_points, "restore points"); });
    return (Datum)0;
}
}
