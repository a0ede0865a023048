// `pg_steward restore`: the command line of core/restore.

#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "core/postgres/connection_string.h"
#include "core/restore/restore.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/open_repositories.h"
#include "program/own_wal_get.h"
#include "program/server_version.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct RestoreCommand {
    explicit RestoreCommand(CLI::App& app);

    SettingOptions settings;
    std::string backup;
    std::optional<std::string> time, xid, name, lsn;
    bool immediate = false;
    std::string timeline = "latest";
    bool exclusive = false;
    std::string action = "pause";
    std::vector<std::string> tablespaces;
    std::string tablespace_root;
    int jobs = 4;
    std::vector<std::string> databases, excluded_databases;
    bool standby = false;
    std::string primary_conninfo, primary_host, primary_port, primary_user, slot;
    bool dry_run = false;
    bool preserve_existing = false;
    bool delta = false;
    bool no_target_check = false;
    std::string owner;
    std::string bindir;
    OutputFormat format = OutputFormat::kText;
};

RestoreCommand::RestoreCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
    app.add_option("--backup", backup, "Backup to restore (default: the newest that serves the target)")->type_name("LABEL");

    CLI::Option_group& target = *app.add_option_group("Recovery target", "Where recovery stops (default: the end of the WAL)");
    target.add_option("--target-time", time, "Stop at this time; give a zone: '2026-11-20 11:00:00+00'")->type_name("TIME");
    target.add_option("--target-xid", xid, "Stop at the end of this transaction")->type_name("XID");
    target.add_option("--target-name", name, "Stop at this restore point")->type_name("NAME");
    target.add_option("--target-lsn", lsn, "Stop at this WAL position")->type_name("LSN");
    target.add_flag("--target-immediate", immediate, "Stop as soon as the backup is consistent");
    target.require_option(0, 1);

    app.add_flag("--target-exclusive", exclusive, "Stop just before the target instead of just after it");
    app.add_option("--target-timeline", timeline, "Timeline to follow: latest (default), current (the backup's) or a number")->type_name("TIMELINE");
    app.add_option("--target-action", action, "At the target: pause (default), promote or shutdown")
        ->check(CLI::IsMember({"pause", "promote", "shutdown"}))
        ->option_text("ACTION");
    app.add_flag("--no-target-check", no_target_check, "Do not read WAL beforehand to prove that the target is reached");
    CLI::Option* as_standby = app.add_flag("--standby", standby, "Make a standby, which catches up from the repository and then follows its primary");
    CLI::Option_group& primary = *app.add_option_group("Primary", "How a standby connects; without it, it follows the repository alone");
    CLI::Option* conninfo = primary.add_option("--primary-conninfo", primary_conninfo, "Connection string, without a password: that belongs into .pgpass")
                                ->type_name("CONNINFO")
                                ->needs(as_standby);
    primary.add_option("--primary-host", primary_host, "Host")->type_name("HOST")->needs(as_standby)->excludes(conninfo);
    primary.add_option("--primary-port", primary_port, "Port")->type_name("PORT")->needs(as_standby)->excludes(conninfo);
    primary.add_option("--primary-user", primary_user, "User")->type_name("USER")->needs(as_standby)->excludes(conninfo);
    primary.add_option("--slot", slot, "Replication slot on the primary")->type_name("NAME")->needs(as_standby);

    CLI::Option* only = app.add_option("--database", databases, "Restore this one of the operators' databases, and not the others; may be repeated")
                            ->type_name("NAME")
                            ->allow_extra_args(false);
    app.add_option("--exclude-database", excluded_databases, "Restore all databases but this one; may be repeated")
        ->type_name("NAME")
        ->allow_extra_args(false)
        ->excludes(only);
    app.add_option("--tablespace-map", tablespaces, "New location of one tablespace; may be repeated")->type_name("OLD=NEW")->allow_extra_args(false);
    app.add_option("--tablespace-map-all", tablespace_root, "New parent directory of all other tablespaces")->type_name("DIR");
    CLI::Option* preserve =
        app.add_flag("--preserve-existing", preserve_existing, "Rename a directory that is not empty, instead of refusing");
    app.add_flag("--delta", delta, "Restore into this cluster's own directory: compare what is there, write what differs, remove what is not in the backup")
        ->excludes(preserve);
    app.add_option("--owner", owner, "As root: the user who is to own the files (default: the owner of the data directory)")->type_name("USER");
    app.add_option("--bindir", bindir, "Programs of the server that is to be started; their version is checked")->type_name("DIR");
    app.add_option("-j,--jobs", jobs, "Threads that restore (default 4)")->check(CLI::Range(1, 64))->type_name("N");
    app.add_flag("-n,--dry-run", dry_run, "Show what would be done and check that it can be; change nothing");
    add_output_option(app, format);
}

Result<uint64_t> parse_xid(const std::string& text) {
    uint64_t xid = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), xid);
    if (problem == std::errc() && end == text.data() + text.size()) return xid;
    return Error(ErrorCode::invalid_argument, formatted("invalid transaction number \"{}\"", text));
}

Result<RecoveryTarget> make_target(const RestoreCommand& command) {
    RecoveryTarget target;
    if (command.time) {
        target.kind = TargetKind::kTime;
        TRY_ASSIGN(target.time, parse_time(*command.time));
    } else if (command.xid) {
        target.kind = TargetKind::kXid;
        TRY_ASSIGN(target.xid, parse_xid(*command.xid));
    } else if (command.name) {
        target.kind = TargetKind::kName;
        target.name = *command.name;
        if (target.name.empty() || target.name.size() > 63)
            return Error(ErrorCode::invalid_argument, formatted("invalid restore point name \"{}\"", target.name)).detail("It has 1 to 63 bytes.");
    } else if (command.lsn) {
        target.kind = TargetKind::kLsn;
        TRY_ASSIGN(target.lsn, parse_lsn(*command.lsn));
    } else if (command.immediate) {
        target.kind = TargetKind::kImmediate;
    }
    const bool bounded = target.kind == TargetKind::kTime || target.kind == TargetKind::kXid || target.kind == TargetKind::kLsn;
    if (command.exclusive && !bounded)
        return Error(ErrorCode::usage, "--target-exclusive needs --target-time, --target-xid or --target-lsn");
    target.bound = command.exclusive ? TargetBound::kExclusive : TargetBound::kInclusive;
    target.action = command.action == "promote"    ? TargetAction::kPromote
                    : command.action == "shutdown" ? TargetAction::kShutdown
                                                   : TargetAction::kPause;
    TRY_ASSIGN(target.timeline, parse_timeline_choice(command.timeline));
    return target;
}

Result<std::map<std::string, std::string>> make_tablespace_map(const std::vector<std::string>& texts) {
    std::map<std::string, std::string> map;
    for (const std::string& text : texts) {
        const size_t sign = text.find('=');
        if (sign == std::string::npos || sign == 0 || sign + 1 == text.size())
            return Error(ErrorCode::usage, formatted("invalid tablespace mapping \"{}\"", text)).hint("It is OLD=NEW, both absolute paths.");
        if (!map.emplace(text.substr(0, sign), text.substr(sign + 1)).second)
            return Error(ErrorCode::usage, formatted("tablespace \"{}\" is mapped twice", text.substr(0, sign)));
    }
    return map;
}

Result<std::optional<FileOwner>> find_owner(const std::string& name) {
    if (name.empty()) return std::optional<FileOwner>();
    const passwd* const user = ::getpwnam(name.c_str());
    if (user == nullptr) return Error(ErrorCode::invalid_argument, formatted("there is no user \"{}\"", name)).object(name);
    return std::optional(FileOwner{user->pw_uid, user->pw_gid});
}

std::optional<StandbySettings> make_standby(const RestoreCommand& command) {
    if (!command.standby) return std::nullopt;
    if (!command.primary_conninfo.empty()) return StandbySettings{command.primary_conninfo, command.slot};
    const std::pair<std::string, std::string> parameters[] = {
        {"host", command.primary_host}, {"port", command.primary_port}, {"user", command.primary_user}};
    return StandbySettings{render_connection_string(parameters), command.slot};
}

Result<RestoreOptions> make_options(const RestoreCommand& command, const Settings& settings) {
    RestoreOptions options;
    if (command.settings.data_directory().empty())
        return Error(ErrorCode::usage, "no data directory is given").hint("Name it with --data-dir DIR or PGDATA.");
    options.data_directory = std::filesystem::absolute(command.settings.data_directory());
    if (!command.backup.empty()) options.choice.label = command.backup;
    TRY_ASSIGN(options.choice.target, make_target(command));
    options.check = command.no_target_check ? TargetCheck::kNone : TargetCheck::kScanWal;
    TRY_ASSIGN(options.tablespace_map, make_tablespace_map(command.tablespaces));
    if (!command.tablespace_root.empty()) options.tablespace_root = command.tablespace_root;
    options.existing = command.delta               ? ExistingContent::kCompare
                       : command.preserve_existing ? ExistingContent::kPreserve
                                                   : ExistingContent::kRefuse;
    options.is_root = ::geteuid() == 0;
    TRY_ASSIGN(options.owner, find_owner(command.owner));
    if (!command.bindir.empty()) {
        TRY_ASSIGN(options.server_major, server_major_of(command.bindir));
    }
    TRY_ASSIGN(options.wal_get, own_wal_get(settings));
    options.standby = make_standby(command);
    options.databases = {command.databases, command.excluded_databases};
    options.workers = command.jobs;
    return options;
}

std::string next_step(const RestorePlan& plan) {
    const std::string_view then = plan.recovery.standby ? "it catches up and stays a standby"
                                  : plan.recovery.target.kind == TargetKind::kLatest ? "it recovers all WAL there is and accepts connections"
                                  : plan.recovery.target.action == TargetAction::kPause
                                      ? "at the target it pauses; look, then run \"SELECT pg_wal_replay_resume()\" to end recovery"
                                  : plan.recovery.target.action == TargetAction::kPromote ? "at the target it ends recovery and accepts connections"
                                                                                          : "at the target it shuts down";
    return formatted("Restored. Start it with PostgreSQL {}: {}.\n", plan.manifest.summary.major, then);
}

std::string databases_step(const DatabaseSelection& databases) {
    std::string text = "\nThe databases that were left out are of no use. Drop them when recovery has ended:\n\n", oids;
    for (const std::string& statement : statements_after(databases)) text += statement + "\n";
    for (const LeftOutDatabase& left_out : databases.left_out) oids += (oids.empty() ? "" : ", ") + std::to_string(left_out.database.oid);
    return text + formatted(
                      "\nThe names are the backup's. This tells which they have now:\n\n"
                      "SELECT oid, datname FROM pg_database WHERE oid IN ({});\n\n"
                      "A database that was made after the backup from one of them with STRATEGY file_copy is empty too. The server's log may warn\n"
                      "of invalid pages in their files, base/OID/...: in other databases that is damage.\n",
                      oids);
}

Result<int> run(const RestoreCommand& command) {
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    TRY_ASSIGN(const RestoreOptions options, make_options(command, settings));
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY_ASSIGN(const OpenedRepositories opened, open_repositories_for_reading(settings, {clock, timer, signals.cancel()}));
    for (const Error& error : opened.unavailable) report_warning(error);

    RestoreProgress progress;
    std::optional<ProgressDisplay> display(progress);
    TRY_ASSIGN(const RestorePlan plan, plan_restore(opened.repositories, options, clock, progress, signals.cancel()));
    display.reset();
    for (const DamagedBackup& damaged : plan.damaged) report_warning(damaged.error);
    TRY(print(command.format == OutputFormat::kJson ? render_plan_json(plan) + "\n" : render_plan(plan)));
    if (command.dry_run) return 0;

    ConsoleLog log;
    display.emplace(progress);
    TRY(execute_restore(plan, opened.repositories, log, progress, signals.cancel()));
    display.reset();
    if (command.format == OutputFormat::kText) TRY(print(next_step(plan)));
    if (command.format == OutputFormat::kText && plan.databases && plan.databases->is_partial()) TRY(print(databases_step(*plan.databases)));
    return 0;
}

}  // namespace

void add_restore_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("restore", "Restore a data directory and prepare it for recovery");
    const auto command = std::make_shared<RestoreCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
