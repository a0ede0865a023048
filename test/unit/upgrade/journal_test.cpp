#include "core/upgrade/journal.h"

#include <gtest/gtest.h>

#include <string>

namespace steward {
namespace {

UpgradeRequest odd_request() {
    UpgradeRequest request;
    request.data_directory = "/data/ma\"in\xff";
    request.from = 13;
    request.path = {15, 18};
    request.method = TransferMethod::kCopyFileRange;
    request.bindirs = {"/pg/13/bin", "/pg/15/bin", "/pg/18/bin"};
    request.config_file = "/etc/postgresql/13/main/postgresql.conf";
    request.system_identifier = 18446744073709551615U;
    request.statistics = false;
    request.jobs = 3;
    return request;
}

std::vector<JournalEntry> some_entries() {
    return {
        {JournalEvent::kBegin, TimePoint(std::chrono::microseconds(1)), odd_request(), {}, {}},
        {JournalEvent::kStep, TimePoint(std::chrono::microseconds(2)), {}, {1, UpgradeStep::kClear}, {}},
        {JournalEvent::kDone, TimePoint(std::chrono::microseconds(3)), {}, {1, UpgradeStep::kClear}, {{"mark", "0/1 x"}}},
        {JournalEvent::kFailed, TimePoint(std::chrono::microseconds(4)), {}, {2, UpgradeStep::kTransfer}, {{"message", "it \"broke\"\nthere"}}},
    };
}

std::string text_of(const std::vector<JournalEntry>& entries) {
    std::string text;
    for (const JournalEntry& entry : entries) text += format_journal_entry(entry);
    return text;
}

TEST(UpgradeJournalFormat, ReadsWhatItWrites) {
    const std::vector<JournalEntry> entries = some_entries();
    const auto parsed = parse_journal(text_of(entries));
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_EQ(*parsed, entries);
}

TEST(UpgradeJournalFormat, LeavesOutATornLastLineWhereverItIsTorn) {
    const std::vector<JournalEntry> entries = some_entries();
    const std::string text = text_of(entries);
    size_t whole = 0;
    for (size_t length = 0; length <= text.size(); ++length) {
        const auto parsed = parse_journal(std::string_view(text).substr(0, length));
        ASSERT_TRUE(parsed.ok()) << length;
        if (length > 0 && text[length - 1] == '\n') ++whole;
        EXPECT_EQ(parsed->size(), whole) << length;
    }
    EXPECT_EQ(whole, entries.size());
}

TEST(UpgradeJournalFormat, RefusesALineThatIsNotUnderstoodAndNamesIt) {
    for (const std::string line : {"{}", "nonsense", R"({"event":"step"})", R"({"event":"step","at":"2026-01-01T00:00:00Z","hop":1,"step":"fly"})", R"({"event":7,"at":""})"}) {
        const auto parsed = parse_journal(format_journal_entry(some_entries()[1]) + line + "\n" + format_journal_entry(some_entries()[2]));
        ASSERT_FALSE(parsed.ok()) << line;
        EXPECT_EQ(parsed.error().code(), ErrorCode::corrupt_object) << line;
        EXPECT_EQ(parsed.error().context().front(), "while reading line 2 of the journal") << line;
    }
}

TEST(UpgradeJournalFormat, RefusesAJournalOfALaterRelease) {
    std::string line = format_journal_entry(some_entries()[0]);
    line.replace(line.find("\"version\":1"), 11, "\"version\":2");
    const auto parsed = parse_journal(line);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().code(), ErrorCode::unsupported_format);
}

TEST(UpgradeJournalFormat, FindsTheLastRun) {
    std::vector<JournalEntry> entries = some_entries();
    const std::vector<JournalEntry> again = some_entries();
    EXPECT_EQ(last_run(entries).size(), 4U);
    entries.insert(entries.end(), again.begin(), again.begin() + 2);
    EXPECT_EQ(last_run(entries).size(), 2U);
    EXPECT_TRUE(last_run({}).empty());
}

}  // namespace
}  // namespace steward
