#include "core/restore/recovery_target.h"

#include <algorithm>
#include <charconv>

#include "core/base/format.h"
#include "core/postgres/connection_string.h"

namespace steward {

Result<TimelineChoice> parse_timeline_choice(std::string_view text) {
    if (text == "latest") return TimelineChoice{TimelineChoice::Kind::kLatest, 0};
    if (text == "current") return TimelineChoice{TimelineChoice::Kind::kCurrent, 0};
    TimelineId number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc() && end == text.data() + text.size() && number != 0) return TimelineChoice{TimelineChoice::Kind::kNumber, number};
    return Error(ErrorCode::invalid_argument, formatted("invalid target timeline \"{}\"", text))
        .hint("It is \"latest\", \"current\" or the decimal number of a timeline.");
}

std::string_view to_string(TargetAction action) {
    switch (action) {
        case TargetAction::kPause: return "pause";
        case TargetAction::kPromote: return "promote";
        case TargetAction::kShutdown: return "shutdown";
    }
    return "pause";
}

std::string describe(const RecoveryTarget& target) {
    const std::string_view bound = target.bound == TargetBound::kExclusive ? ", exclusive" : "";
    switch (target.kind) {
        case TargetKind::kLatest: return "end of the WAL";
        case TargetKind::kImmediate: return "end of the backup";
        case TargetKind::kTime: return formatted("time {}{}", format_time(target.time), bound);
        case TargetKind::kXid: return formatted("transaction {}{}", target.xid, bound);
        case TargetKind::kName: return formatted("restore point \"{}\"", target.name);
        case TargetKind::kLsn: return formatted("LSN {}{}", target.lsn, bound);
    }
    return "end of the WAL";
}

namespace {

/// The time as the server's settings take it. They are checked before the server has loaded its time zone abbreviations, of which
/// "Z" is one: the offset must be a number.
std::string server_time(TimePoint time) {
    std::string text = format_time(time);
    text.replace(text.size() - 1, 1, "+00");
    return text;
}

/// The one setting that names this target, and its value; nothing for the end of the WAL.
std::optional<std::pair<std::string, std::string>> target_setting(const RecoveryTarget& target) {
    switch (target.kind) {
        case TargetKind::kLatest: return std::nullopt;
        case TargetKind::kImmediate: return std::pair<std::string, std::string>("recovery_target", "immediate");
        case TargetKind::kTime: return std::pair<std::string, std::string>("recovery_target_time", server_time(target.time));
        case TargetKind::kXid: return std::pair("recovery_target_xid", std::to_string(target.xid));
        case TargetKind::kName: return std::pair<std::string, std::string>("recovery_target_name", target.name);
        case TargetKind::kLsn: return std::pair<std::string, std::string>("recovery_target_lsn", to_string(target.lsn));
    }
    return std::nullopt;
}

/// One word of a shell command.
std::string quote_for_shell(std::string_view word) {
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    }
    return quoted + "'";
}

}  // namespace

Result<void> check_standby(const StandbySettings& standby) {
    constexpr size_t kLongestSlotName = 63;
    TRY(check_connection_string(standby.primary_conninfo));
    if (standby.slot.empty()) return {};
    if (standby.primary_conninfo.empty()) return Error(ErrorCode::usage, "a replication slot needs a connection to the primary");
    // ReplicationSlotValidateName in slot.c.
    const bool good = standby.slot.size() <= kLongestSlotName &&
                      std::ranges::all_of(standby.slot, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (good) return {};
    return Error(ErrorCode::invalid_argument, formatted("invalid replication slot name \"{}\"", standby.slot))
        .detail("It has 1 to 63 lowercase letters, digits and underscores.");
}

std::string configure_recovery(std::string_view automatic, const ServerConfiguration& elsewhere, const RecoverySettings& settings) {
    const auto wanted = target_setting(settings.target);
    ConfigurationChanges cleared;
    for (const std::string_view name : kTargetSettings) {
        const auto found = elsewhere.find(std::string(name));
        const bool override_elsewhere = found != elsewhere.end() && !found->second.empty() && (!wanted || wanted->first != name);
        cleared[std::string(name)] = override_elsewhere ? std::optional<std::string>("") : std::nullopt;
    }

    ConfigurationChanges set;
    if (settings.standby) {
        const auto replace = [&](const char* name, const std::string& value) {
            const auto found = elsewhere.find(name);
            const bool overrides = found != elsewhere.end() && !found->second.empty();
            set[name] = !value.empty() || overrides ? std::optional(value) : std::nullopt;
        };
        replace("primary_conninfo", settings.standby->primary_conninfo);
        replace("primary_slot_name", settings.standby->slot);
    }
    set["restore_command"] = settings.restore_command;
    set["recovery_target_timeline"] = settings.timeline;
    set["recovery_target_action"] = std::nullopt;
    set["recovery_target_inclusive"] = std::nullopt;
    set["ignore_invalid_pages"] = settings.invalid_pages == InvalidPages::kIgnore ? std::optional<std::string>("on") : std::nullopt;
    if (wanted) {
        set[wanted->first] = wanted->second;
        set["recovery_target_action"] = std::string(to_string(settings.target.action));
        set["recovery_target_inclusive"] = settings.target.bound == TargetBound::kInclusive ? "on" : "off";
    }
    return set_configuration(set_configuration(automatic, cleared), set);
}

std::string render_restore_command(const WalGetCommand& command) {
    std::string text = formatted("{} wal-get --repository {} --cluster {} ", quote_for_shell(command.program),
                                 quote_for_shell(command.repositories), quote_for_shell(command.cluster));
    if (command.system_identifier) text += formatted("--system-identifier {} ", *command.system_identifier);
    if (command.timeline) text += formatted("--timeline {} ", *command.timeline);
    std::string escaped;
    for (const char c : text) {
        escaped += c;
        if (c == '%') escaped += c;
    }
    return escaped + "\"%f\" \"%p\"";
}

}  // namespace steward
