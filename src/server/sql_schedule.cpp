// SQL functions about schedules: steward.schedule, steward.next_runs().

#include <array>
#include <optional>
#include <string>

#include "core/base/format.h"
#include "core/schedule/next_run.h"
#include "server/boundary.h"
#include "server/result_rows.h"
#include "server/schedule.h"

namespace steward {

namespace {

constexpr int kMostRuns = 1000;

struct ScheduleRow {
    SharedPlan plan;
    TimestampTz last_run;
    bool active;
};

std::string_view state_of(const ScheduleRow& row) {
    if (row.plan.expression.empty()) return row.active ? "running" : "off";
    if (row.active) return "running";
    return row.plan.next_run != 0 ? "waiting" : "paused";
}

std::array<ScheduleRow, kScheduledJobCount> schedule_view(SharedState* state) {
    std::array<ScheduleRow, kScheduledJobCount> view;
    const SharedLock lock(state, LW_SHARED);
    for (size_t i = 0; i < kScheduledJobCount; ++i) {
        const SharedRun& run = scheduled_run(static_cast<ScheduledJob>(i));
        const bool active = run.is_active();
        view[i] = {state->schedule.plans[i], active ? run.started : state->history.last[i].success_started, active};
    }
    return view;
}

Result<void> schedule_rows(FunctionCallInfo call) {
    TRY_ASSIGN(SharedState * state, require_shared_state());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    const auto view = schedule_view(state);
    for (size_t i = 0; i < kScheduledJobCount; ++i) {
        rows.text(kScheduledJobNames[i])
            .text(view[i].plan.expression.view())
            .text(view[i].plan.timezone.view())
            .time(view[i].plan.next_run)
            .time(view[i].last_run)
            .text(state_of(view[i]))
            .text(view[i].plan.reason.view());
        TRY(rows.end_row());
    }
    return {};
}

Result<void> next_run_rows(FunctionCallInfo call, const std::string& expression, int n, const std::string& timezone) {
    if (n < 1 || n > kMostRuns)
        return Error(ErrorCode::invalid_argument, formatted("cannot tell the next {} runs", n)).hint(formatted("Ask for 1 to {}.", kMostRuns));
    TRY_ASSIGN(const Schedule schedule, parse_schedule(expression));
    TRY_ASSIGN(const TimeZone zone, schedule_time_zone(timezone));
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call, RowShape::kSingleValue));
    const TimePoint now(std::chrono::microseconds(unix_us_of_timestamp(GetCurrentTimestamp())));
    for (const TimePoint run : next_runs(schedule, zone, now, static_cast<size_t>(n))) {
        rows.time(timestamp_of_unix_us(run.time_since_epoch().count()));
        TRY(rows.end_row());
    }
    return {};
}

}  // namespace

}  // namespace steward

extern "C" {

PG_FUNCTION_INFO_V1(steward_schedule);
PGDLLEXPORT Datum steward_schedule(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::schedule_rows(fcinfo); });
    return (Datum)0;
}

PG_FUNCTION_INFO_V1(steward_next_runs);
PGDLLEXPORT Datum steward_next_runs(PG_FUNCTION_ARGS) {
    const char* expression = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
    const int n = PG_ARGISNULL(1) ? 5 : PG_GETARG_INT32(1);
    const char* zone = PG_ARGISNULL(2) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(2));
    steward::enter([&] { return steward::next_run_rows(fcinfo, expression, n, zone); });
    return (Datum)0;
}
}
