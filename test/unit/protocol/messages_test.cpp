#include "core/protocol/messages.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace steward {
namespace {

/// Through the wire and back. A message that arrived says what was sent exactly if it renders the same again.
template <typename Message>
Message sent(const Message& message) {
    const std::string text = render_message(message);
    const Result<Json> json = parse_frame_text(text);
    EXPECT_TRUE(json.ok()) << text;
    EXPECT_EQ(message_type(*json), Message::kType);
    Result<Message> read = read_message<Message>(*json);
    EXPECT_TRUE(read.ok()) << text;
    EXPECT_EQ(render_message(*read), text);
    return std::move(read).value();
}

Error full_error() {
    return Error(ErrorCode::content_conflict, "message").object("object").detail("Detail.").hint("Hint.").context("while one").context("while two");
}

CatalogEntry full_entry() {
    return {"file:///r", "label", "0/28", "0/99", 3, 1763636683123456, 1763636684123456, UINT64_MAX, 5, 6, 7, true, "17.6", "base", true};
}

TEST(Messages, ArriveAsSent) {
    EXPECT_EQ(sent(HelloMessage{"1.0", 7}).protocol, 7);
    EXPECT_EQ(sent(WantMessage{"000000010000000000000003"}).name, "000000010000000000000003");
    EXPECT_EQ(sent(FlushedMessage{3, UINT64_MAX}).lsn, UINT64_MAX);
    EXPECT_EQ(sent(FlushedMessage{3, UINT64_MAX}).timeline, 3u);
    EXPECT_EQ(sent(StoredMessage{{"a", "b"}}).names, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(sent(GivenUpMessage{{"a", "b"}}).names, (std::vector<std::string>{"a", "b"}));
    const LogMessage log = sent(LogMessage{{LogLevel::kDebug1, "event", "message", {{"a", "1"}, {"b", "2"}}, "detail", "hint", "58P01"}});
    EXPECT_EQ(log.record.level, LogLevel::kDebug1);
    EXPECT_EQ(log.record.fields[1].second, "2");
    EXPECT_EQ(log.record.sqlstate, "58P01");
    const RecoveryWindowMessage window = sent(RecoveryWindowMessage{{{1, 2, 3, 4, 5, "b"}},
                                                                    6,
                                                                    {{1, 2, 3, "dropped", 4, "note", 5, 6, 7, 8, "after"}},
                                                                    9,
                                                                    {{"name", "note", 1, 2, 3, true}},
                                                                    10,
                                                                    "error",
                                                                    11,
                                                                    UINT64_MAX,
                                                                    true});
    EXPECT_TRUE(window.first_backup_owed);
    EXPECT_EQ(window.owed_timeline, 11u);
    EXPECT_EQ(window.owed_lsn, UINT64_MAX);
    EXPECT_EQ(window.intervals[0].known_until_us, 5);
    EXPECT_EQ(window.gaps[0].after_backup, "after");
    EXPECT_EQ(window.restore_points[0].time_us, 3);
    EXPECT_EQ(window.restore_point_count, 10u);
    const WalStatusMessage status =
        sent(WalStatusMessage{1, UINT64_MAX, 2.5, {{"url", "000000010000000000000003", UINT64_MAX, -5, 1, 2, 3, 4, "error", 9, UINT64_MAX - 1, 10}}});
    EXPECT_EQ(status.backlog_bytes, UINT64_MAX);
    EXPECT_EQ(status.repositories.at(0).last_lsn, UINT64_MAX);
    EXPECT_EQ(status.repositories.at(0).last_stored_us, -5);
    EXPECT_EQ(status.repositories.at(0).tail_lsn, UINT64_MAX - 1);
    EXPECT_EQ(status.repositories.at(0).tail_stored_us, 10);
    EXPECT_EQ(sent(CatalogMessage{{full_entry(), full_entry()}, "error"}).backups.at(1).data_bytes, UINT64_MAX);
    const BackupStartMessage start = sent(BackupStartMessage{"label", UINT64_MAX, -5, true});
    EXPECT_EQ(start.label, "label");
    EXPECT_EQ(start.start_lsn, UINT64_MAX);
    EXPECT_EQ(start.started_us, -5);
    EXPECT_TRUE(start.from_standby);
    EXPECT_EQ(sent(BackupFinishMessage{99, "START WAL LOCATION: 0/28\n", "16384 /ts\n", 6}).tablespace_map, "16384 /ts\n");
    EXPECT_EQ(sent(BackupProgressMessage{"copying", 1, 2, 3, 4, "segment"}).waiting_for, "segment");
    sent(BackupCopiedMessage{});
    EXPECT_EQ(sent(BackupDoneMessage{{full_entry()}}).entries.at(0).started_us, 1763636683123456);
    EXPECT_EQ(sent(UpkeepStartMessage{"verify", R"({"full":true})"}).options, R"({"full":true})");
    EXPECT_EQ(sent(UpkeepProgressMessage{"checking packs", 1, UINT64_MAX}).total, UINT64_MAX);
    const UpkeepDoneMessage done = sent(UpkeepDoneMessage{R"({"rows":[{"object":"\u0001\n"}]})", "all good", UINT64_MAX});
    EXPECT_EQ(done.report, R"({"rows":[{"object":"\u0001\n"}]})");
    EXPECT_EQ(done.bytes, UINT64_MAX);
}

TEST(Messages, CarryErrorsWithEveryPart) {
    const Error error = sent(NotStoredMessage{"name", full_error().retryable(true)}).error;
    EXPECT_EQ(error.code(), ErrorCode::content_conflict);
    EXPECT_EQ(error.to_string(), full_error().to_string());
    EXPECT_EQ(error.object(), "object");
    EXPECT_TRUE(error.retryable());
    EXPECT_FALSE(sent(FailedMessage{full_error()}).error.retryable());
}

TEST(Messages, CarrySettingsAndFacts) {
    const ConfigureMessage message = sent(ConfigureMessage{{"/data", UINT64_MAX, 17, 1u << 30, "17.6"}, {{"cluster", "main"}, {"repository", ""}}});
    EXPECT_EQ(message.facts.system_identifier, UINT64_MAX);
    EXPECT_EQ(message.facts.wal_segment_size, 1u << 30);
    EXPECT_EQ(message.settings.at("cluster"), "main");
}

// PostgreSQL takes any bytes in paths and labels. A path that arrives changed leads nowhere, or elsewhere.
TEST(Messages, CarryPathsAndFilesThatAreNotUtf8) {
    const std::string path = "/srv/d\xe4ten \xc3\x28\xff", utf8 = "/srv/d\xc3\xa4ten";
    EXPECT_EQ(sent(ConfigureMessage{{path, 1, 17, 1 << 20, "17"}, {}}).facts.data_directory, path);
    EXPECT_EQ(sent(ConfigureMessage{{utf8, 1, 17, 1 << 20, "17"}, {}}).facts.data_directory, utf8);
    const BackupFinishMessage finish = sent(BackupFinishMessage{1, "LABEL: \xfc\n", "1 " + path + "\n", 1});
    EXPECT_EQ(finish.backup_label, "LABEL: \xfc\n");
    EXPECT_EQ(finish.tablespace_map, "1 " + path + "\n");
}

TEST(Messages, ShowTextsThatAreNotUtf8WithReplacements) {
    EXPECT_EQ(sent(LogMessage{{LogLevel::kLog, "e", "file \"\xff\"", {}, {}, {}, {}}}).record.message, "file \"\xef\xbf\xbd\"");
}

TEST(Messages, NameWhatIsMissing) {
    const auto read = read_message<WantMessage>(*parse_frame_text(R"({"type":"want"})"));
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code(), ErrorCode::engine_failed);
    EXPECT_NE(read.error().message().find("malformed message \"want\""), std::string::npos);
    EXPECT_NE(read.error().message().find("name"), std::string::npos);
}

TEST(Messages, RefuseMembersOfAnotherType) {
    EXPECT_FALSE(read_message<HelloMessage>(*parse_frame_text(R"({"type":"hello","version":1,"protocol":1})")).ok());
    EXPECT_FALSE(read_message<StoredMessage>(*parse_frame_text(R"({"type":"stored","names":"a"})")).ok());
    EXPECT_FALSE(read_message<FailedMessage>(*parse_frame_text(R"({"type":"failed","error":{"code":"internal"}})")).ok());
    EXPECT_FALSE(read_message<BackupFinishMessage>(
                     *parse_frame_text(R"({"type":"backup_finish","stop_lsn":1,"backup_label":{"hex":"0g"},"tablespace_map":"","stopped_us":1})"))
                     .ok());
}

TEST(Messages, RefuseWhatIsNoObject) {
    for (const char* text : {"", "[]", "null", "{", "17", "\xff"}) EXPECT_EQ(parse_frame_text(text).error().code(), ErrorCode::engine_failed) << text;
    EXPECT_EQ(message_type(*parse_frame_text("{}")), "");
    EXPECT_EQ(message_type(*parse_frame_text(R"({"type":5})")), "");
}

}  // namespace
}  // namespace steward
