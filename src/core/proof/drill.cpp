#include "core/proof/drill.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/postgres/timeline.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Settings of the scratch server that do not depend on where it is.
constexpr std::pair<std::string_view, std::string_view> kOverrides[] = {
    // It is nobody's server.
    {"listen_addresses", ""},
    {"port", "5432"},
    {"bonjour", "off"},
    {"ssl", "off"},
    {"unix_socket_group", ""},
    {"unix_socket_permissions", "0700"},
    {"cluster_name", "pg_steward drill"},
    // It changes nothing outside its directory: not the archive, not the running server's log.
    {"archive_mode", "off"},
    {"archive_library", ""},
    {"archive_command", ""},
    {"archive_cleanup_command", ""},
    {"recovery_end_command", ""},
    {"logging_collector", "off"},
    {"log_destination", "stderr"},
    // Background workers of restored libraries would do what they do: run jobs, replicate. The libraries still have to load. Without
    // hot standby the number may be smaller than on the primary, and recovery is over when the server lets anybody in.
    {"max_worker_processes", "0"},
    {"max_logical_replication_workers", "0"},
    {"hot_standby", "off"},
    {"autovacuum", "off"},
    {"steward.repository", ""},
    // It recovers all there is, at once, and waits for nobody.
    {"primary_conninfo", ""},
    {"primary_slot_name", ""},
    {"recovery_min_apply_delay", "0"},
    {"synchronous_standby_names", ""},
    {"default_transaction_read_only", "off"},
    {"restart_after_crash", "off"},
    // It leaves memory and disk to the real one. Nothing of it has to survive a crash.
    {"shared_buffers", "128MB"},
    {"huge_pages", "off"},
    {"fsync", "off"},
};

/// WAL that recovery keeps beside what the restore puts there.
constexpr uint64_t kSegmentsToRecoverWith = 4;

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    const size_t program_end = text.find(" \"");
    words.emplace_back(text.substr(0, program_end));
    while (true) {
        const size_t begin = text.find('"');
        if (begin == text.npos) return words;
        text.remove_prefix(begin + 1);
        const size_t end = text.find("\" \"");
        const bool last = end == text.npos;
        words.emplace_back(text.substr(0, last ? text.rfind('"') : end));
        if (last) return words;
        text.remove_prefix(end + 1);
    }
}

/// The value in "config_file=VALUE" or "--config_file=VALUE", where an option's "-" may stand for "_".
std::optional<fs::path> config_file_in(std::string_view word) {
    if (word.starts_with("--")) word.remove_prefix(2);
    if (word.starts_with("-c")) word.remove_prefix(2);
    for (const std::string_view name : {"config_file=", "config-file="})
        if (word.starts_with(name)) return fs::path(word.substr(name.size()));
    return std::nullopt;
}

}  // namespace

Result<RunningServer> parse_postmaster_opts(std::string_view text) {
    const std::vector<std::string> words = words_of(text);
    RunningServer server{words.front(), std::nullopt};
    if (!server.program.is_absolute()) return Error(ErrorCode::corrupt_object, "file \"postmaster.opts\" does not name the server's program");
    for (const std::string& word : words)
        if (auto file = config_file_in(word)) server.config_file = std::move(file);
    return server;
}

std::vector<std::string> scratch_server_command(const ScratchServerFiles& files) {
    std::vector<std::string> command = {files.program.native(), "-D", files.data_directory.native()};
    const auto set = [&](std::string_view name, std::string_view value) {
        command.emplace_back("-c");
        command.push_back(formatted("{}={}", name, value));
    };
    // A configuration kept elsewhere names the directory of the running server.
    set("data_directory", files.data_directory.native());
    if (files.config_file) set("config_file", files.config_file->native());
    set("hba_file", files.hba_file.native());
    set("ident_file", files.ident_file.native());
    // An empty name is a file that cannot be written, and the restored one is the running server's.
    set("external_pid_file", (files.data_directory / "external.pid").native());
    set("unix_socket_directories", formatted("\"{}\"", files.socket_directory.native()));
    for (const auto& [name, value] : kOverrides) set(name, value);
    return command;
}

std::string_view scratch_hba() { return "local all all trust\n"; }

uint64_t drill_space_needed(const RestorePlan& plan) {
    return plan.manifest.summary.data_bytes + (plan.wal_files.size() + kSegmentsToRecoverWith) * plan.manifest.summary.wal_segment_size;
}

Result<void> check_drill_space(const fs::path& directory, uint64_t needed) {
    struct statvfs volume;
    if (::statvfs(directory.c_str(), &volume) != 0)
        return Error::from_errno(errno, formatted("could not find out the free space of \"{}\"", directory.native())).object(directory.native());
    const uint64_t available = uint64_t{volume.f_bavail} * volume.f_frsize;
    if (available >= needed) return {};
    return Error(ErrorCode::no_space, formatted("not enough space for a restore drill in \"{}\"", directory.native()))
        .detail(formatted("It has {} free, the drill needs {}.", pretty_size(available), pretty_size(needed)))
        .hint("Free some space there, or set \"steward.drill_directory\" to a directory on a larger volume.")
        .object(directory.native());
}

Result<RecoveryEnd> find_recovery_end(const fs::path& data_directory) {
    const fs::path pg_wal = data_directory / "pg_wal";
    std::error_code problem;
    TimelineId newest = 0;
    for (fs::directory_iterator entry(pg_wal, problem), end; !problem && entry != end; entry.increment(problem)) {
        const std::string name = entry->path().filename().native();
        TimelineId timeline = 0;
        if (classify_wal_file(name) == WalFileKind::kTimelineHistory) std::from_chars(name.data(), name.data() + 8, timeline, 16);
        newest = std::max(newest, timeline);
    }
    if (problem) return Error::from_errno(problem.value(), formatted("could not read directory \"{}\"", pg_wal.native())).object(pg_wal.native());
    if (newest == 0) return Error(ErrorCode::not_found, formatted("there is no timeline history in \"{}\"", pg_wal.native())).object(pg_wal.native());
    TRY_ASSIGN(const Bytes text, read_file(pg_wal / timeline_history_name(newest)));
    TRY_ASSIGN(const TimelineHistory history, parse_timeline_history(newest, as_text(text)));
    if (history.ancestors().empty()) return Error(ErrorCode::corrupt_object, formatted("the history of timeline {} is empty", newest));
    return RecoveryEnd{newest, history.ancestors().back().switch_lsn};
}

std::string render_drill(const DrillRecord& record) {
    Json json = {{"time", format_time(record.time)}, {"backup", record.backup}, {"result", record.failure ? "failed" : "succeeded"}};
    if (record.failure) {
        json["phase"] = record.phase;
        json["code"] = info(record.failure->code()).name;
        json["error"] = record.failure->message();
        if (!record.failure->detail().empty()) json["detail"] = record.failure->detail();
    }
    json["data_bytes"] = record.data_bytes;
    if (record.timeline != 0) json["timeline"] = record.timeline;
    if (record.recovered) json["recovered_lsn"] = to_string(*record.recovered);
    if (!record.last_transaction.empty()) json["last_transaction"] = record.last_transaction;
    json["restore_seconds"] = record.restore.count();
    json["recovery_seconds"] = record.recovery.count();
    json["check_seconds"] = record.checks.count();
    if (!record.server_version.empty()) json["server_version"] = record.server_version;
    if (!record.query.empty()) json["query"] = record.query;
    return render_json(json);
}

namespace {

/// Names begin with the time: in their order the oldest are the first.
Result<void> remove_old_drills(const Repository& repository) {
    std::vector<std::string> keys;
    TRY(for_each_object(repository.storage(), repository.layout().drills_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        keys.push_back(object.key);
        return {};
    }));
    if (keys.size() <= kKeptDrills) return {};
    const auto kept = keys.end() - static_cast<std::ptrdiff_t>(kKeptDrills);
    std::ranges::nth_element(keys, kept);
    for (auto key = keys.begin(); key != kept; ++key) TRY(repository.storage().remove(*key));
    return {};
}

}  // namespace

Result<DrillOutcome> parse_drill(std::string_view content) {
    const Json json = parse_json(content);
    const auto text = [&](const char* name) { return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : std::string(); };
    const Result<TimePoint> time = json.is_object() ? parse_time(text("time")) : Error(ErrorCode::corrupt_object, "no object");
    const std::string result = time.ok() ? text("result") : "";
    if (result != "succeeded" && result != "failed") return Error(ErrorCode::corrupt_object, "the record of a restore drill is not understood");
    DrillOutcome outcome{*time, text("backup"), {}};
    if (result == "failed") outcome.failure = text("error").empty() ? "no reason is recorded" : text("error");
    return outcome;
}

Result<std::optional<DrillOutcome>> load_last_drill(const Repository& repository) {
    std::string newest;
    TRY(for_each_object(repository.storage(), repository.layout().drills_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        newest = std::max(newest, object.key);  // names begin with the time
        return {};
    }));
    if (newest.empty()) return std::optional<DrillOutcome>();
    TRY_ASSIGN(const Bytes content, repository.load(newest, ObjectKind::kDrill));
    TRY_ASSIGN(DrillOutcome outcome, parse_drill(as_text(content)));
    return std::optional(std::move(outcome));
}

Result<void> store_drill(const Repository& repository, const DrillRecord& record, uint64_t random) {
    const std::string key = repository.layout().drill(unique_name(record.time, random));
    const std::string content = render_drill(record) + "\n";
    const BuiltObject object = build_object(ObjectKind::kDrill, repository.identity().system_identifier, as_bytes(content), {Codec::kZstd, 3});
    TRY(repository.store(key, object, ObjectKind::kDrill));
    // The next drill removes what stays now.
    static_cast<void>(remove_old_drills(repository).ok());
    return {};
}

}  // namespace steward
