#include "core/retention/explain_expiry.h"

#include <gmock/gmock.h>

#include "retention/expiry_fixture.h"

namespace steward {
namespace {

using ::testing::ElementsAre;

class ExplainExpiry : public ExpiryTest {
protected:
    ExplainExpiry() {
        add("a", 1, 10, 10);
        add("b", 1, 12, 20);
        add("c", 1, 30, 30).packs = {"a", "c"};
        add_wal(1, 11, 40);
        remove_wal(1, 35);
    }
};

TEST_F(ExplainExpiry, RendersARowForEveryBackupGroupOfPacksAndRangeOfWal) {
    std::vector<std::string> rows;
    for (const ExpiryRow& row : explain(plan("1, yearly=1")))
        rows.push_back(formatted("{}|{}|{}|{}", row.label, to_string(row.verdict), row.reason, row.stored_bytes));
    EXPECT_THAT(rows, ElementsAre("a|remove|no rule of \"1, yearly=1\" keeps it; "
                                  "not complete: WAL segment \"00000001000000000000000A\" is missing|0",
                                  "b|remove|no rule of \"1, yearly=1\" keeps it|0", "c|keep|the newest complete backup; newest 1; yearly 2026|0",
                                  "2 packs|keep|referenced by kept backups|2000", "1 pack|remove|no kept backup refers to it|1000",
                                  "00000001000000000000000B to 00000001000000000000001D|remove|no kept backup needs it|190",
                                  "00000001000000000000001E to 000000010000000000000022|keep|recovery from backup \"c\" onwards|50",
                                  "000000010000000000000024 to 000000010000000000000028|keep|recovery from backup \"c\" onwards|50"));
}

TEST_F(ExplainExpiry, NamesASingleSegmentOnce) {
    facts_.wal.push_back({2, 7, 7, 3});
    EXPECT_EQ(explain(plan("1")).back().label, "000000020000000000000007");
}

TEST_F(ExplainExpiry, RemovesManifestsThenPacksThenWalOldestFirst) {
    add_wal(2, 3, 4);
    std::vector<std::string> steps;
    for (const Removal& removal : order_of_removal(plan("1"))) {
        const bool is_wal = removal.kind == Removal::Kind::kWal;
        steps.push_back(is_wal ? formatted("{}:{}..{} {}", removal.timeline, removal.first, removal.last, removal.stored_bytes)
                               : formatted("{} {} {}", removal.kind == Removal::Kind::kManifest ? "manifest" : "pack", removal.name, removal.stored_bytes));
    }
    EXPECT_THAT(steps, ElementsAre("manifest a 0", "manifest b 0", "pack b 1000", "1:11..29 190", "2:3..4 20"));
}

TEST_F(ExplainExpiry, RefusesFactsThatContradictEachOther) {
    const auto code = [&] { return plan_expiry(facts_, rules_).error().code(); };
    facts_.backups[1].summary.wal_segment_size = 16 * 1024 * 1024;
    EXPECT_EQ(code(), ErrorCode::wrong_state);
    facts_.wal_segment_size = 12345;
    EXPECT_EQ(code(), ErrorCode::invalid_argument);
    facts_.wal_segment_size = 16 * 1024 * 1024;
    facts_.backups.clear();
    facts_.wal.push_back({1, 9, 8, 0});
    EXPECT_EQ(code(), ErrorCode::corrupt_object);
}

}  // namespace
}  // namespace steward
