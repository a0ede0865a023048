#include "program/restore_arguments.h"

#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "core/base/format.h"
#include "core/postgres/connection_string.h"
#include "program/own_wal_get.h"
#include "program/server_version.h"

namespace steward {

namespace {

Result<uint64_t> parse_xid(const std::string& text) {
    uint64_t xid = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), xid);
    if (problem == std::errc() && end == text.data() + text.size()) return xid;
    return Error(ErrorCode::invalid_argument, formatted("invalid transaction number \"{}\"", text));
}

Result<RecoveryTarget> make_target(const RestoreArguments& arguments) {
    RecoveryTarget target;
    if (arguments.time) {
        target.kind = TargetKind::kTime;
        TRY_ASSIGN(target.time, parse_time(*arguments.time));
    } else if (arguments.xid) {
        target.kind = TargetKind::kXid;
        TRY_ASSIGN(target.xid, parse_xid(*arguments.xid));
    } else if (arguments.name) {
        target.kind = TargetKind::kName;
        target.name = *arguments.name;
        if (target.name.empty() || target.name.size() > 63)
            return Error(ErrorCode::invalid_argument, formatted("invalid restore point name \"{}\"", target.name)).detail("It has 1 to 63 bytes.");
    } else if (arguments.lsn) {
        target.kind = TargetKind::kLsn;
        TRY_ASSIGN(target.lsn, parse_lsn(*arguments.lsn));
    } else if (arguments.immediate) {
        target.kind = TargetKind::kImmediate;
    }
    const bool bounded = target.kind == TargetKind::kTime || target.kind == TargetKind::kXid || target.kind == TargetKind::kLsn;
    if (arguments.exclusive && !bounded)
        return Error(ErrorCode::usage, "--target-exclusive needs --target-time, --target-xid or --target-lsn");
    target.bound = arguments.exclusive ? TargetBound::kExclusive : TargetBound::kInclusive;
    target.action = arguments.action == "promote"    ? TargetAction::kPromote
                    : arguments.action == "shutdown" ? TargetAction::kShutdown
                                                   : TargetAction::kPause;
    TRY_ASSIGN(target.timeline, parse_timeline_choice(arguments.timeline));
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

std::optional<StandbySettings> make_standby(const RestoreArguments& arguments) {
    if (!arguments.standby) return std::nullopt;
    if (!arguments.primary_conninfo.empty()) return StandbySettings{arguments.primary_conninfo, arguments.slot};
    const std::pair<std::string, std::string> parameters[] = {
        {"host", arguments.primary_host}, {"port", arguments.primary_port}, {"user", arguments.primary_user}};
    return StandbySettings{render_connection_string(parameters), arguments.slot};
}

}  // namespace

void RestoreArguments::add_target(CLI::App& app) {
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
}

void RestoreArguments::add_standby(CLI::App& app) {
    CLI::Option* as_standby = app.add_flag("--standby", standby, "Make a standby, which catches up from the repository and then follows its primary");
    CLI::Option_group& primary = *app.add_option_group("Primary", "How a standby connects; without it, it follows the repository alone");
    CLI::Option* conninfo = primary.add_option("--primary-conninfo", primary_conninfo, "Connection string, without a password: that belongs into .pgpass")
                                ->type_name("CONNINFO")
                                ->needs(as_standby);
    primary.add_option("--primary-host", primary_host, "Host")->type_name("HOST")->needs(as_standby)->excludes(conninfo);
    primary.add_option("--primary-port", primary_port, "Port")->type_name("PORT")->needs(as_standby)->excludes(conninfo);
    primary.add_option("--primary-user", primary_user, "User")->type_name("USER")->needs(as_standby)->excludes(conninfo);
    primary.add_option("--slot", slot, "Replication slot on the primary")->type_name("NAME")->needs(as_standby);
}

void RestoreArguments::add_tablespaces(CLI::App& app) {
    app.add_option("--tablespace-map", tablespaces, "New location of one tablespace; may be repeated")->type_name("OLD=NEW")->allow_extra_args(false);
    app.add_option("--tablespace-map-all", tablespace_root, "New parent directory of all other tablespaces")->type_name("DIR");
}

void RestoreArguments::add_execution(CLI::App& app) {
    app.add_option("--owner", owner, "As root: the user who is to own the files (default: the owner of the data directory)")->type_name("USER");
    app.add_option("--bindir", bindir, "Programs of the server that is to be started; their version is checked")->type_name("DIR");
    app.add_option("-j,--jobs", jobs, "Threads that restore (default 4)")->check(CLI::Range(1, 64))->type_name("N");
}

Result<RestoreOptions> RestoreArguments::make_options(const Settings& settings, const std::filesystem::path& data_directory) const {
    RestoreOptions options;
    options.data_directory = std::filesystem::absolute(data_directory);
    if (!backup.empty()) options.choice.label = backup;
    TRY_ASSIGN(options.choice.target, make_target(*this));
    options.check = no_target_check ? TargetCheck::kNone : TargetCheck::kScanWal;
    TRY_ASSIGN(options.tablespace_map, make_tablespace_map(tablespaces));
    if (!tablespace_root.empty()) options.tablespace_root = tablespace_root;
    options.is_root = ::geteuid() == 0;
    TRY_ASSIGN(options.owner, find_owner(owner));
    if (!bindir.empty()) {
        TRY_ASSIGN(options.server_major, server_major_of(bindir));
    }
    TRY_ASSIGN(options.wal_get, own_wal_get(settings));
    options.wal_get.system_identifier = system_identifier;
    options.standby = make_standby(*this);
    options.workers = jobs;
    return options;
}

}  // namespace steward
