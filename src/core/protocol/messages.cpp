#include "core/protocol/messages.h"

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"

namespace nlohmann {

/// Errors travel with everything but their retry flag's origin: the receiver shows them, it does not interpret them.
template <>
struct adl_serializer<steward::Error> {
    static void to_json(steward::Json& json, const steward::Error& error) {
        json = {{"code", std::string(steward::info(error.code()).name)},
                {"message", error.message()},
                {"object", error.object()},
                {"detail", error.detail()},
                {"hint", error.hint()},
                {"context", error.context()},
                {"retryable", error.retryable()}};
    }
    static void from_json(const steward::Json& json, steward::Error& error) {
        error = steward::Error(steward::error_code_named(json.at("code").get<std::string>()), json.at("message").get<std::string>())
                    .object(json.at("object").get<std::string>())
                    .detail(json.at("detail").get<std::string>())
                    .hint(json.at("hint").get<std::string>())
                    .retryable(json.at("retryable").get<bool>());
        for (const auto& line : json.at("context")) error = std::move(error).context(line.get<std::string>());
    }
};

}  // namespace nlohmann

namespace steward {

// The library's own macro for this is not for values that keep the order of members, before its release 3.11.3.
#define STEWARD_MEMBERS(Type, ...)                                                                                                                        \
    static void to_json(Json& nlohmann_json_j, const Type& nlohmann_json_t) { NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__)) } \
    static void from_json(const Json& nlohmann_json_j, Type& nlohmann_json_t) { NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_FROM, __VA_ARGS__)) }

STEWARD_MEMBERS(LogRecord, level, event, message, fields, detail, hint, sqlstate)

// Paths, and the files that name them, hold any bytes but JSON holds UTF-8: what is none travels as {"hex": "..."}. Texts for
// people do not need this, render_message replaces what cannot be shown.
static Json any_bytes(const std::string& text) {
    if (quote_json(text)) return text;
    return {{"hex", to_hex(as_bytes(text))}};
}

static std::string any_bytes(const Json& json) {
    if (json.is_string()) return json.get<std::string>();
    Result<Bytes> bytes = from_hex(json.at("hex").get_ref<const std::string&>());
    if (!bytes.ok()) throw Json::other_error::create(501, bytes.error().message(), &json);
    return std::string(as_text(*bytes));
}

static void to_json(Json& json, const ServerFacts& facts) {
    json = {{"data_directory", any_bytes(facts.data_directory)},
            {"system_identifier", facts.system_identifier},
            {"major", facts.major},
            {"wal_segment_size", facts.wal_segment_size},
            {"server_version", facts.server_version}};
}
static void from_json(const Json& json, ServerFacts& facts) {
    facts.data_directory = any_bytes(json.at("data_directory"));
    json.at("system_identifier").get_to(facts.system_identifier);
    json.at("major").get_to(facts.major);
    json.at("wal_segment_size").get_to(facts.wal_segment_size);
    json.at("server_version").get_to(facts.server_version);
}
STEWARD_MEMBERS(WalRepositoryStatus, url, last_segment, last_lsn, last_stored_us, stored_files, stored_bytes, repository_bytes,
                                   failures, last_error, last_error_us, tail_lsn, tail_stored_us)
STEWARD_MEMBERS(CatalogEntry, repository, label, start_lsn, stop_lsn, timeline, started_us, stopped_us, data_bytes,
                                   repository_bytes, files, checksum_failures, from_standby, server_version, base, kept)
STEWARD_MEMBERS(WindowInterval, timeline, begin_lsn, end_lsn, begin_us, known_until_us, backup)
STEWARD_MEMBERS(WindowGap, timeline, begin_lsn, end_lsn, reason, recorded_us, note, before_lsn, before_us, after_lsn, after_us,
                                   after_backup)
STEWARD_MEMBERS(WindowRestorePoint, name, note, timeline, lsn, time_us, reachable)

STEWARD_MEMBERS(HelloMessage, version, protocol)
STEWARD_MEMBERS(ConfigureMessage, facts, settings)
STEWARD_MEMBERS(LogMessage, record)
STEWARD_MEMBERS(FailedMessage, error)
STEWARD_MEMBERS(WantMessage, name)
STEWARD_MEMBERS(FlushedMessage, timeline, lsn)
STEWARD_MEMBERS(StoredMessage, names)
STEWARD_MEMBERS(NotStoredMessage, name, error)
STEWARD_MEMBERS(GivenUpMessage, names)
STEWARD_MEMBERS(WalStatusMessage, backlog_files, backlog_bytes, bytes_per_second, repositories)
STEWARD_MEMBERS(CatalogMessage, backups, error)
STEWARD_MEMBERS(RecoveryWindowMessage, intervals, interval_count, gaps, gap_count, restore_points, restore_point_count,
                                   owed_timeline, owed_lsn, first_backup_owed, error)

STEWARD_MEMBERS(BackupStartMessage, label, start_lsn, started_us, from_standby, reuse, full_read, wal_summaries)

static void to_json(Json& json, const BackupFinishMessage& message) {
    json = {{"stop_lsn", message.stop_lsn},
            {"backup_label", any_bytes(message.backup_label)},
            {"tablespace_map", any_bytes(message.tablespace_map)},
            {"stopped_us", message.stopped_us}};
}
static void from_json(const Json& json, BackupFinishMessage& message) {
    json.at("stop_lsn").get_to(message.stop_lsn);
    message.backup_label = any_bytes(json.at("backup_label"));
    message.tablespace_map = any_bytes(json.at("tablespace_map"));
    json.at("stopped_us").get_to(message.stopped_us);
}

STEWARD_MEMBERS(BackupProgressMessage, phase, bytes_total, bytes_done, files_total, repository_bytes, waiting_for)
STEWARD_MEMBERS(BackupDoneMessage, entries)
STEWARD_MEMBERS(UpkeepStartMessage, job, options)
STEWARD_MEMBERS(UpkeepProgressMessage, phase, done, total)
STEWARD_MEMBERS(UpkeepDoneMessage, report, summary, bytes)
// A message without members: the macro wants at least one.
static void to_json(Json& json, const BackupCopiedMessage&) { json = Json::object(); }
static void from_json(const Json&, BackupCopiedMessage&) {}

template <typename Message>
std::string render_message(const Message& message) {
    Json json = message;
    json["type"] = Message::kType;
    // Messages for people may quote any bytes; JSON holds UTF-8.
    return render_json(json);
}

std::string message_type(const Json& json) {
    const auto type = json.find("type");
    return type != json.end() && type->is_string() ? type->get<std::string>() : std::string();
}

Result<Json> parse_frame_text(const std::string& text) {
    Json json = parse_json(text);
    if (!json.is_object()) return Error(ErrorCode::engine_failed, "message on the engine's socket is no JSON object");
    return json;
}

template <typename Message>
Result<Message> read_message(const Json& json) {
    // The JSON library reports missing and mistyped members by exception; here is where that becomes a value.
    try {
        return json.get<Message>();
    } catch (const Json::exception& problem) {
        return Error(ErrorCode::engine_failed, formatted("malformed message \"{}\" on the engine's socket: {}", Message::kType, problem.what()));
    }
}

#define STEWARD_MESSAGE(Message)                             \
    template std::string render_message(const Message&);     \
    template Result<Message> read_message<Message>(const Json&);
STEWARD_MESSAGE(HelloMessage)
STEWARD_MESSAGE(ConfigureMessage)
STEWARD_MESSAGE(LogMessage)
STEWARD_MESSAGE(FailedMessage)
STEWARD_MESSAGE(WantMessage)
STEWARD_MESSAGE(FlushedMessage)
STEWARD_MESSAGE(StoredMessage)
STEWARD_MESSAGE(NotStoredMessage)
STEWARD_MESSAGE(GivenUpMessage)
STEWARD_MESSAGE(WalStatusMessage)
STEWARD_MESSAGE(CatalogMessage)
STEWARD_MESSAGE(RecoveryWindowMessage)
STEWARD_MESSAGE(BackupStartMessage)
STEWARD_MESSAGE(BackupFinishMessage)
STEWARD_MESSAGE(BackupProgressMessage)
STEWARD_MESSAGE(BackupCopiedMessage)
STEWARD_MESSAGE(BackupDoneMessage)
STEWARD_MESSAGE(UpkeepStartMessage)
STEWARD_MESSAGE(UpkeepProgressMessage)
STEWARD_MESSAGE(UpkeepDoneMessage)
#undef STEWARD_MESSAGE

}  // namespace steward
