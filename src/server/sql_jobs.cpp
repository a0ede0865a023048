// SQL functions about jobs: steward.run_job(), steward.jobs.

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/format.h"
#include "core/base/json.h"
#include "core/jobs/job_report.h"
#include "server/boundary.h"
#include "server/history.h"
#include "server/job.h"
#include "server/result_rows.h"
#include "server/settings.h"

namespace steward {

namespace {

Result<JobKind> job_named(std::string_view name) {
    if (const std::optional<JobKind> kind = job_kind_named(name)) return *kind;
    std::string known;
    for (const std::string_view job : kJobNames) known += (known.empty() ? "" : ", ") + std::string(job);
    return Error(ErrorCode::invalid_argument, formatted("there is no job \"{}\"", name)).hint(formatted("Jobs are {}.", known));
}

/// The options in UTF-8, as JSON has it everywhere else.
Result<std::string> checked_options(const char* options) {
    TRY_ASSIGN(const char* utf8, call_server([=]() -> const char* {
                   return pg_server_to_any(options, static_cast<int>(std::strlen(options)), PG_UTF8);
               }));
    std::string text = utf8;
    if (!parse_json(text).is_object())
        return Error(ErrorCode::invalid_argument, "options of a job must be one JSON object").hint("Pass '{}' for none.");
    if (text.size() > kMostJobOptions)
        return Error(ErrorCode::invalid_argument, "options of a job are too long")
            .detail(formatted("They have {} bytes; {} are possible.", text.size(), kMostJobOptions))
            .hint("Run the job several times, each with a part of them.");
    return text;
}

Result<Datum> json_datum(const std::string& utf8) {
    const char* text = utf8.data();
    const int length = static_cast<int>(utf8.size());
    return call_server([=] {
        const char* converted = pg_any_to_server(text, length, PG_UTF8);
        return converted == text ? PointerGetDatum(cstring_to_text_with_len(text, length)) : CStringGetTextDatum(converted);
    });
}

/// Run a job; with `wait` return its report, otherwise which run it is.
Result<Datum> run_job(std::string_view name, const char* options, bool wait) {
    TRY(require_shared_state());
    TRY_ASSIGN(const JobKind kind, job_named(name));
    TRY_ASSIGN(std::string checked, checked_options(options));
    if (needs_repositories(kind) && !repository_is_set())
        return Error(ErrorCode::wrong_state, "no repository is set").hint("Set \"steward.repository\" in postgresql.conf and reload.");
    TRY_ASSIGN(const StartedJob job, start_job({.kind = kind, .options = std::move(checked)}));
    if (!wait) {
        TRY(wait_for_start(job.number, job.worker));
        return json_datum(render_json({{"job", name}, {"number", job.number}}));
    }
    TRY(wait_for_run(job.number, job.worker));
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        if (std::optional<Error> failure = failure_of(job_run(kind), job.number)) return std::move(*failure);
    }
    TRY_ASSIGN(const std::string report, read_job_report(steward_directory(), name, job.number));
    return json_datum(report);
}

/// What is known of runs that are active, beyond their record.
struct ActiveRun {
    uint64 number;
    pid_t pid;
    SharedText<64> phase;
    uint64 done;
    uint64 total;
};

struct HistoryView {
    std::vector<SharedJobRecord> records;  ///< newest first
    std::vector<ActiveRun> active;
};

HistoryView history_view(SharedState* state) {
    HistoryView view;
    view.records.reserve(kHistoryRing);
    view.active.reserve(1 + kJobKindCount);
    const auto add = [&](const SharedRun& run, uint64 done, uint64 total) {
        if (run.is_active()) view.active.push_back({run.number, run.worker.pid, run.phase, done, total});
    };
    {
        const SharedLock lock(state, LW_SHARED);
        const SharedHistory& history = state->history;
        view.records.assign(history.records, history.records + std::min<uint64>(history.count, kHistoryRing));
        add(state->backup.run, state->backup.bytes_done, state->backup.bytes_total);
        for (const SharedJob& job : state->jobs) add(job.run, job.done, job.total);
    }
    std::ranges::sort(view.records, std::ranges::greater(), &SharedJobRecord::number);
    return view;
}

void add_progress(ResultRows& rows, const HistoryView& view, uint64 number) {
    const auto run = std::ranges::find(view.active, number, &ActiveRun::number);
    if (run == view.active.end()) {
        rows.null().null().null().null();
        return;
    }
    run->pid != 0 ? rows.integer(run->pid) : rows.null();
    rows.text(run->phase.view()).number(static_cast<int64>(run->done));
    run->total != 0 ? rows.number(static_cast<int64>(run->total)) : rows.null();
}

Result<void> job_rows(FunctionCallInfo call) {
    TRY_ASSIGN(SharedState * state, require_shared_state());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    const HistoryView view = history_view(state);
    for (const SharedJobRecord& record : view.records) {
        rows.number(static_cast<int64>(record.number))
            .text(record.job.view())
            .text(to_string(record.trigger))
            .time(record.started)
            .time(record.finished)
            .number(static_cast<int64>(record.bytes))
            .text(to_string(record.result))
            .text(record.summary.view())
            .text(record.error.view());
        add_progress(rows, view, record.number);
        TRY(rows.end_row());
    }
    return {};
}

}  // namespace

}  // namespace steward

extern "C" {

PG_FUNCTION_INFO_V1(steward_run_job);
PGDLLEXPORT Datum steward_run_job(PG_FUNCTION_ARGS) {
    const char* name = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
    const char* options = PG_ARGISNULL(1) ? "{}" : text_to_cstring(PG_GETARG_TEXT_PP(1));
    const bool wait = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
    return steward::enter([=] { return steward::run_job(name, options, wait); });
}

PG_FUNCTION_INFO_V1(steward_jobs);
PGDLLEXPORT Datum steward_jobs(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::job_rows(fcinfo); });
    return (Datum)0;
}
}
