#include "core/upgrade/rehearsal_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"

namespace steward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TimePoint after(int milliseconds) { return TimePoint(std::chrono::seconds(1'800'000'000)) + std::chrono::milliseconds(milliseconds); }

UpgradeRequest request_of(std::vector<int> path) {
    UpgradeRequest request;
    request.from = 15;
    request.path = std::move(path);
    request.method = TransferMethod::kLink;
    return request;
}

RehearsalRecord record_of(std::vector<int> path) {
    RehearsalRecord record;
    record.time = after(0);
    record.data_directory = "/srv/main";
    record.place = "/srv/main.rehearsal";
    record.request = request_of(std::move(path));
    record.evidence = Seconds(100);
    record.planning = Seconds(1.5);
    record.steps = {{{0, UpgradeStep::kClear}, Seconds(0.25)}, {{1, UpgradeStep::kTransfer}, Seconds(40)}};
    record.data_bytes = 3221225472;
    record.peak_bytes = 2147483648;
    record.kept_bytes = 1073741824;
    return record;
}

TEST(RehearsalRecordTest, TimesStepsByTheJournal) {
    const StepOfHop clear{0, UpgradeStep::kClear}, transfer{1, UpgradeStep::kTransfer};
    const std::vector<JournalEntry> run = {
        {JournalEvent::kBegin, after(0), request_of({18}), {}, {}},
        {JournalEvent::kStep, after(10), {}, clear, {}},
        {JournalEvent::kDone, after(260), {}, clear, {}},
        {JournalEvent::kStep, after(300), {}, transfer, {}},
        {JournalEvent::kFailed, after(400), {}, transfer, {}},
        {JournalEvent::kStep, after(1000), {}, transfer, {}},
        {JournalEvent::kDone, after(3500), {}, transfer, {}},
    };
    EXPECT_THAT(time_steps(run), ElementsAre(TimedStep{clear, Seconds(0.25)}, TimedStep{transfer, Seconds(2.5)}));
}

TEST(RehearsalRecordTest, CountsChecksAndStepsAsDowntimeAndNotTheCopy) { EXPECT_DOUBLE_EQ(record_of({18}).downtime().count(), 41.75); }

TEST(RehearsalRecordTest, ReadsBackWhatItWrites) {
    const auto outcome = parse_rehearsal(render_rehearsal_json(record_of({17, 18})));
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
    EXPECT_EQ(outcome->time, after(0));
    EXPECT_EQ(outcome->from, 15);
    EXPECT_THAT(outcome->path, ElementsAre(17, 18));
    EXPECT_EQ(outcome->method, TransferMethod::kLink);
    EXPECT_DOUBLE_EQ(outcome->downtime.count(), 41.75);
    EXPECT_EQ(outcome->peak_bytes, 2147483648U);
}

TEST(RehearsalRecordTest, WritesNamesOfAnyBytesAsJson) {
    RehearsalRecord record = record_of({18});
    record.data_directory = "/srv/\xff";
    record.notes = {"database \"\xe4\": x"};
    record.findings = {{.check = "x", .summary = "y", .detail = {}, .objects = {"\xfe"}, .cures = {}}};
    EXPECT_TRUE(parse_json(render_rehearsal_json(record)).is_object());
}

TEST(RehearsalRecordTest, RefusesWhatIsNoRecord) {
    for (const std::string_view text : {"", "[]", "{}", R"({"time":1})", R"({"time":"2026-11-22T05:00:00Z","from":15,"path":[18],"method":"magic","downtime_seconds":1,"peak_bytes":1})"}) {
        const auto outcome = parse_rehearsal(text);
        ASSERT_FALSE(outcome.ok()) << text;
        EXPECT_EQ(outcome.error().code(), ErrorCode::corrupt_object);
    }
}

TEST(RehearsalRecordTest, IsRecalledByTheSameUpgradeOnly) {
    const RehearsalOutcome outcome{after(0), 15, {18}, TransferMethod::kCopy, Seconds(41.4), 2147483648};
    EXPECT_EQ(recall_rehearsal(outcome, request_of({18})).value_or(""), "rehearsed by copy on 2027-01-15T08:00:00.000000Z: 41 s, up to 2.0 GB");
    EXPECT_FALSE(recall_rehearsal(outcome, request_of({17})));
    UpgradeRequest newer = request_of({18});
    newer.from = 17;
    EXPECT_FALSE(recall_rehearsal(outcome, newer));
}

TEST(RehearsalRecordTest, TellsPeopleTimesSpaceAndCaveats) {
    RehearsalRecord record = record_of({18});
    record.caveats = {"The disk was another one."};
    const std::string page = render_rehearsal(record);
    EXPECT_THAT(page, HasSubstr("of \"/srv/main\" from 15 by link, to 18, on a copy that was made in 100.0 s\n"));
    EXPECT_THAT(page, HasSubstr("  transfer                   40.0 s\n"));
    EXPECT_THAT(page, HasSubstr("up to 2.0 GB beside the cluster's 3.0 GB, and 1.0 GB until the commit\n"));
    EXPECT_THAT(page, HasSubstr("The disk was another one.\n"));
    EXPECT_THAT(page, HasSubstr("downtime: 41.8 s"));
    record.backup = "nightly";
    record.shares_blocks = true;
    EXPECT_THAT(render_rehearsal(record), HasSubstr("on backup nightly, restored and recovered in 100.0 s\n"));
    EXPECT_THAT(render_rehearsal(record), HasSubstr("blocks that files share"));
}

}  // namespace
}  // namespace steward
