#include "core/expiry/expire.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/expiry/keep.h"
#include "core/repository/gap_ledger.h"
#include "core/repository/pins.h"
#include "retention/made_up_repository.h"

namespace steward {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint32_t kSize = MadeUpCluster::kSegmentSize;
constexpr LeftoverKind kPieces[] = {LeftoverKind::kRestorePoint, LeftoverKind::kWalTail, LeftoverKind::kPartialSegment, LeftoverKind::kBackupHistory};

TimePoint day(int n) { return *parse_time("2026-01-01 12:00:00Z") + std::chrono::days(n); }

class ExpireTest : public ::testing::Test {
protected:
    ExpireTest() { made_.store_clock().set(day(100)); }

    ExpiryOptions options(std::string_view policy) {
        return {.policy = *parse_retention(policy), .to_local = [](TimePoint time) { return LocalTime(time.time_since_epoch()); },
                .clock = made_.store_clock(), .timer = timer_};
    }

    /// Enter segments `first` to `last` of timeline 1 in the ledger. Returns the entry's key.
    std::string put_gap(uint64_t first, uint64_t last, GapReason reason) {
        const RecordedGap gap{1, start_lsn(first, kSize), start_lsn(last + 1, kSize), reason, made_.store_clock().now(), ""};
        EXPECT_TRUE(record_gap(made_.repository(), gap).ok());
        return made_.layout().gap(1, gap.begin, gap.end);
    }

    /// A backup from segment `segment` to the next one, with a pack of its own, taken `taken` days into the year.
    void add(const std::string& label, uint64_t segment, int taken, TimelineId timeline = 1) {
        BackupRecord record;
        record.summary.label = label;
        record.summary.timeline = record.summary.stop_timeline = timeline;
        record.summary.start_lsn = {segment * kSize + 40};
        record.summary.stop_lsn = {(segment + 1) * kSize + 80};
        record.summary.wal_segment_size = kSize;
        record.summary.started = record.summary.stopped = day(taken);
        record.packs = {label};
        made_.add_pack({label, 1000, day(taken)});
        made_.add_backup(record);
    }

    ExpiryReport expire(std::string_view policy) { return expire(options(policy)); }
    ExpiryReport expire(const ExpiryOptions& options) {
        Result<ExpiryReport> report = expire_repository(made_.repository(), options);
        EXPECT_TRUE(report.ok()) << report.error().to_string();
        return report.ok() ? std::move(report).value() : ExpiryReport();
    }

    std::string piece_key(LeftoverKind kind, TimelineId timeline, uint64_t segment) const {
        const std::string name = to_string(WalSegmentName{timeline, segment}, kSize);
        switch (kind) {
            case LeftoverKind::kRestorePoint: return made_.layout().restore_point(timeline, start_lsn(segment, kSize) + 1000);
            case LeftoverKind::kWalTail: return made_.layout().wal_tail(name, 0, 8192);
            case LeftoverKind::kPartialSegment: return made_.layout().wal(name + ".partial");
            default: return made_.layout().wal(name + ".00000028.backup");
        }
    }

    MadeUpRepository made_;
    SteadyRetryTimer timer_;
};

TEST_F(ExpireTest, RemovesWhatThePolicyDoesNotKeep) {
    add("a", 1, 10);
    add("b", 10, 20);
    add("c", 20, 30);
    made_.add_wal(1, 1, 30);
    const ExpiryReport report = expire("2");
    EXPECT_FALSE(made_.has(made_.layout().manifest("a")));
    EXPECT_FALSE(made_.has(made_.pack_key("a")));
    EXPECT_FALSE(made_.has(made_.wal_key(1, 9)));
    for (const std::string label : {"b", "c"}) EXPECT_TRUE(made_.has(made_.layout().manifest(label)) && made_.has(made_.pack_key(label)));
    EXPECT_EQ(made_.keys(made_.layout().wal_prefix()).size(), 21u);
    EXPECT_EQ(report.removed_objects, 11u);
    EXPECT_EQ(report.removed_bytes, 1000u + 9 * 3);
    EXPECT_TRUE(made_.keys(made_.layout().leases_prefix()).empty());
    EXPECT_TRUE(made_.keys(made_.layout().gaps_prefix()).empty()) << "what is gone from the beginning leaves no gap";
    EXPECT_EQ(expire("2").removed_objects, 0u);
}

TEST_F(ExpireTest, ADryRunExplainsTheSameAndWritesNothing) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 30);
    made_.put(piece_key(LeftoverKind::kRestorePoint, 1, 4), "x");
    const Repository read_only = made_.open([](StorageOperation operation, std::string_view key) -> Result<void> {
        if (operation == StorageOperation::kPut || operation == StorageOperation::kRemove)
            return Error(ErrorCode::permission_denied, formatted("could not touch \"{}\"", key));
        return {};
    });
    auto dry = options("1");
    dry.dry_run = true;
    const auto planned = expire_repository(read_only, dry);
    ASSERT_TRUE(planned.ok()) << planned.error().to_string();
    EXPECT_EQ(planned->removed_objects, 0u);
    EXPECT_EQ(planned->totals.removed.wal_segments, 9u);
    const auto texts = [](const ExpiryReport& report) {
        std::vector<std::string> lines;
        for (const ExpiryRow& row : report.rows) lines.push_back(formatted("{} {}: {}", to_string(row.verdict), row.label, row.reason));
        return lines;
    };
    EXPECT_THAT(texts(*planned),
                ElementsAre("remove a: no rule of \"1\" keeps it", "keep b: the newest complete backup; newest 1", "keep 1 pack: referenced by kept backups",
                            "remove 1 pack: no kept backup refers to it", "remove 000000010000000000000001 to 000000010000000000000009: no kept backup needs it",
                            "keep 00000001000000000000000A to 00000001000000000000001E: recovery from backup \"b\" onwards",
                            "remove 1 restore point: no kept backup needs it"));
    EXPECT_EQ(texts(expire("1")), texts(*planned));
}

TEST_F(ExpireTest, WithoutAPolicyItRefuses) {
    const auto refused = expire_repository(made_.repository(), options(""));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::configuration);
    EXPECT_THAT(refused.error().hint(), HasSubstr("steward.retention"));
}

TEST_F(ExpireTest, WaitsForNoRunningBackupButSaysWhichOneItIs) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 30);
    const auto backup = Lease::acquire(made_.repository(), {.name = "backup-c", .purpose = "backup \"c\"", .clock = made_.store_clock(), .timer = timer_});
    ASSERT_TRUE(backup.ok());
    const auto before = made_.keys();
    const auto refused = expire_repository(made_.repository(), options("1"));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::busy);
    EXPECT_THAT(refused.error().message(), HasSubstr("backup \"c\""));
    EXPECT_EQ(made_.keys(), before);
}

TEST_F(ExpireTest, ALostLeaseStopsIt) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 30);
    const auto run = options("1");
    auto lease = Lease::acquire(made_.repository(), {.mode = LeaseMode::kExclusive, .name = "expire", .purpose = "expiry", .clock = made_.store_clock(),
                                                     .timer = timer_, .renew_every = 0ms});
    ASSERT_TRUE(lease.ok());
    const auto holdings = read_holdings(made_.repository(), {});
    const auto work = plan_work(*holdings, {run.policy, run.pack_grace, day(100), run.to_local});
    ASSERT_TRUE(work.ok());
    // Somebody takes the lease away after the third removal.
    int removed = 0;
    const Repository watched = made_.open({}, [&](StorageOperation operation, std::string_view) {
        if (operation != StorageOperation::kRemove || ++removed != 3) return;
        made_.store_clock().advance(10min);
        EXPECT_FALSE(lease->renew().ok());
    });
    const auto stopped = execute_work(watched, *work, *lease, run);
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code(), ErrorCode::busy);
    EXPECT_EQ(removed, 3);
}

TEST_F(ExpireTest, CancellingStopsIt) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 30);
    CancelSource source;
    auto run = options("1");
    run.cancel = source.get_token();
    run.observer = [&](uint64_t done, uint64_t total) {
        EXPECT_EQ(total, 11u);
        if (done == 4) source.request_stop();
    };
    EXPECT_EQ(expire_repository(made_.repository(), run).error().code(), ErrorCode::cancelled);
    EXPECT_TRUE(made_.keys(made_.layout().leases_prefix()).empty());
    EXPECT_EQ(expire("1").removed_objects, 7u);
}

TEST_F(ExpireTest, PacksOfABackupThatIsTakenElsewhereStay) {
    add("a", 1, 10);
    made_.add_wal(1, 1, 5);
    made_.add_pack({"young-1", 10, day(100) - 23h});
    made_.add_pack({"old-1", 10, day(100) - 25h});
    expire("1");
    EXPECT_TRUE(made_.has(made_.pack_key("young-1")));
    EXPECT_FALSE(made_.has(made_.pack_key("old-1")));
}

TEST_F(ExpireTest, APinnedBackupStaysUntilItIsReleased) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 30);
    ASSERT_TRUE(pin_backup(made_.repository(), "a", "before the migration", made_.store_clock()).ok());
    EXPECT_EQ((*load_pin(made_.repository(), "a"))->note, "before the migration");
    EXPECT_THAT(*list_pinned(made_.repository()), ElementsAre("a"));
    expire("1");
    EXPECT_TRUE(made_.has(made_.layout().manifest("a")) && made_.has(made_.pack_key("a")) && made_.has(made_.wal_key(1, 2)));
    EXPECT_FALSE(made_.has(made_.wal_key(1, 3)));

    ASSERT_TRUE(unpin_backup(made_.repository(), "a").ok());
    EXPECT_FALSE(load_pin(made_.repository(), "a")->has_value());
    expire("1");
    EXPECT_FALSE(made_.has(made_.layout().manifest("a")));
}

TEST_F(ExpireTest, APinNeedsABackupAndGoesWithoutOne) {
    add("a", 1, 10);
    made_.add_wal(1, 1, 5);
    EXPECT_EQ(pin_backup(made_.repository(), "z", "", made_.store_clock()).error().code(), ErrorCode::not_found);
    EXPECT_EQ(pin_backup(made_.repository(), "../a", "", made_.store_clock()).error().code(), ErrorCode::invalid_argument);
    made_.put_object(made_.layout().pin("z"), ObjectKind::kPin, "{}");
    made_.put(made_.layout().pin("a"), "damaged");
    expire("1");
    EXPECT_THAT(*list_pinned(made_.repository()), ElementsAre("a"));
}

TEST_F(ExpireTest, KeepingWaitsForAnExpiryThatRuns) {
    add("a", 1, 10);
    made_.add_wal(1, 1, 5);
    std::vector<Repository> repositories;
    repositories.push_back(made_.open());
    const KeepContext context{.clock = made_.store_clock(), .timer = timer_, .cancel = {}, .patience = 0ms};
    {
        const auto expiry = Lease::acquire(made_.repository(), {.mode = LeaseMode::kExclusive, .name = "expire", .purpose = "expiry",
                                                                .clock = made_.store_clock(), .timer = timer_});
        ASSERT_TRUE(expiry.ok());
        EXPECT_EQ(keep_backup(repositories, KeepAction::kKeep, "a", "", context).error().code(), ErrorCode::busy);
        EXPECT_TRUE(list_pinned(made_.repository())->empty());
    }
    EXPECT_THAT(*keep_backup(repositories, KeepAction::kKeep, "a", "", context), ElementsAre(made_.repository().url()));
    EXPECT_THAT(*list_pinned(made_.repository()), ElementsAre("a"));
    EXPECT_TRUE(keep_backup(repositories, KeepAction::kKeep, "a", "again", context).ok());
    EXPECT_TRUE(keep_backup(repositories, KeepAction::kRelease, "a", "", context).ok());
    EXPECT_TRUE(list_pinned(made_.repository())->empty());
    EXPECT_EQ(keep_backup(repositories, KeepAction::kKeep, "b", "", context).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(made_.keys(made_.layout().leases_prefix()).empty());
}

TEST_F(ExpireTest, WhatCannotBeReadHoldsEverythingAndIsNamed) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 30);
    made_.put(made_.layout().manifest("broken"), "no object");
    const auto before = made_.keys();
    const ExpiryReport report = expire("1");
    EXPECT_FALSE(made_.has(made_.layout().manifest("a"))) << "backups themselves are independent";
    for (const std::string& key : before) EXPECT_TRUE(made_.has(key) || key == made_.layout().manifest("a")) << key;
    EXPECT_TRUE(std::ranges::any_of(report.rows, [](const ExpiryRow& row) { return row.label == "broken" && row.reason.starts_with("cannot be read"); }));
}

TEST_F(ExpireTest, WalPrunedAfterAKeptBackupIsRecordedBeforeItGoesAndAsOneRange) {
    add("kept", 1, 10);
    ASSERT_TRUE(pin_backup(made_.repository(), "kept", "", made_.store_clock()).ok());
    add("b", 10, 20);
    made_.add_wal(1, 1, 15);
    expire("1");
    const std::string first = made_.layout().gap(1, start_lsn(3, kSize), start_lsn(10, kSize));
    EXPECT_THAT(made_.keys(made_.layout().gaps_prefix()), ElementsAre(first));
    const Bytes content = made_.repository().load(first, ObjectKind::kGap).value();
    EXPECT_THAT(std::string(as_text(content)), HasSubstr(R"({"timeline":1,"begin":"0/300000","end":"0/A00000","reason":"pruned",)"));

    add("c", 20, 30);
    made_.add_wal(1, 16, 25);
    expire("1");
    EXPECT_THAT(made_.keys(made_.layout().gaps_prefix()), ElementsAre(made_.layout().gap(1, start_lsn(3, kSize), start_lsn(20, kSize))));

    // Without the backup before it, nobody would want to cross it.
    ASSERT_TRUE(unpin_backup(made_.repository(), "kept").ok());
    expire("1");
    EXPECT_TRUE(made_.keys(made_.layout().gaps_prefix()).empty());
}

TEST_F(ExpireTest, ARecordOfPrunedWalThatIsStillThereIsWithdrawnWhenItStays) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 15);
    put_gap(3, 9, GapReason::kPruned);
    expire("5");
    EXPECT_TRUE(made_.keys(made_.layout().gaps_prefix()).empty());
    EXPECT_EQ(made_.keys(made_.layout().wal_prefix()).size(), 15u);
}

TEST_F(ExpireTest, RecordsOfMissingWalGoWhenEveryBackupBeginsAfterThem) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 5);
    made_.add_wal(1, 7, 15);
    const std::string gap = put_gap(6, 6, GapReason::kMissing);
    expire("2");
    EXPECT_TRUE(made_.has(gap));
    expire("1");
    EXPECT_FALSE(made_.has(gap));
}

TEST_F(ExpireTest, WhatBelongsToWalGoesWithIt) {
    add("a", 1, 10);
    add("b", 10, 20);
    made_.add_wal(1, 1, 15);
    for (const LeftoverKind kind : kPieces)
        for (const uint64_t segment : {1, 9, 10, 16}) made_.put(piece_key(kind, 1, segment), "x");
    expire("1");
    for (const LeftoverKind kind : kPieces) {
        EXPECT_FALSE(made_.has(piece_key(kind, 1, 1)) || made_.has(piece_key(kind, 1, 9))) << name_of(kind, 1);
        EXPECT_TRUE(made_.has(piece_key(kind, 1, 10)) && made_.has(piece_key(kind, 1, 16))) << name_of(kind, 1);
    }
}

TEST_F(ExpireTest, HistoryFilesGoOnlyOfBranchesThatNobodyDescendsFrom) {
    // 1 -> 2 (given up), 1 -> 3 -> 4; backups on 4 only, at last.
    const auto lsn = [](uint64_t segment) { return start_lsn(segment, kSize) + 500'000; };
    made_.add_history(TimelineHistory(2, {{1, lsn(5), "x"}}));
    made_.add_history(TimelineHistory(3, {{1, lsn(4), "x"}}));
    made_.add_history(TimelineHistory(4, {{1, lsn(4), "x"}, {3, lsn(12), "x"}}));
    add("old", 1, 10);
    add("new", 14, 50, 4);
    made_.add_wal(1, 1, 5);
    made_.add_wal(2, 5, 7);
    made_.add_wal(3, 4, 12);
    made_.add_wal(4, 12, 20);
    expire("2");
    EXPECT_TRUE(made_.has(made_.layout().wal("00000002.history"))) << "a restored server counts timelines by these files";
    expire("1");
    EXPECT_FALSE(made_.has(made_.layout().wal("00000002.history")));
    EXPECT_TRUE(made_.has(made_.layout().wal("00000003.history")) && made_.has(made_.layout().wal("00000004.history")));
    EXPECT_EQ(made_.keys(made_.layout().wal_timeline_prefix(3)).size(), 0u);
}

// Random repositories, interrupted anywhere, by failures before and after the store did what it was asked.
class ExpireProperty : public ::testing::TestWithParam<int> {
protected:
    static constexpr int kLives = 25;  ///< times eight parameters

    /// Call `check` with a cluster's facts, a policy and a time.
    template <typename Check>
    void for_each_life(Check check) {
        for (int life = 0; life < kLives && !HasFailure(); life++) {
            const uint64_t seed = static_cast<uint64_t>(GetParam()) * 1'000'000 + static_cast<uint64_t>(life);
            MadeUpCluster cluster(seed);
            RetentionPolicy policy;
            while (policy.empty()) {
                if (cluster.one_in(3)) policy.count = 1 + cluster.pick(4);
                if (cluster.one_in(3)) policy.window = std::chrono::hours(1 + cluster.pick(24 * 30));
                if (cluster.one_in(3)) policy.weekly = 1 + static_cast<unsigned>(cluster.pick(4));
                if (cluster.one_in(3)) policy.monthly = 1 + static_cast<unsigned>(cluster.pick(4));
            }
            SCOPED_TRACE(formatted("seed {}, policy {}", seed, to_string(policy)));
            check(cluster, policy);
        }
    }

    ExpiryOptions options(MadeUpRepository& made, const MadeUpCluster& cluster, const RetentionPolicy& policy) {
        made.store_clock().set(cluster.now());
        return {.policy = policy, .to_local = [](TimePoint time) { return LocalTime(time.time_since_epoch()); }, .clock = made.store_clock(), .timer = timer_};
    }

    SteadyRetryTimer timer_;
};

INSTANTIATE_TEST_SUITE_P(Lives, ExpireProperty, ::testing::Range(1, 9));

/// What each backup needs to be restored, told without any rule; of those that have all of it.
std::map<std::string, std::set<std::string>> needs_of(const ExpiryFacts& facts, MadeUpRepository& made) {
    std::map<std::string, std::set<std::string>> needs;
    for (const BackupRecord& backup : facts.backups) {
        const BackupSummary& b = backup.summary;
        const auto known = facts.histories.find(b.stop_timeline);
        const TimelineHistory history = known == facts.histories.end() ? TimelineHistory(b.stop_timeline) : known->second;
        std::set<std::string> keys;
        for (const std::string& name : backup.packs.value_or(std::vector<std::string>())) keys.insert(made.pack_key(name));
        for (uint64_t number = b.start_lsn.value / kSize; number * kSize < b.stop_lsn.value; number++)
            keys.insert(made.wal_key(history.timeline_at(Lsn{(number + 1) * kSize - 1}), number));
        if (std::ranges::all_of(keys, [&](const std::string& key) { return made.has(key); })) needs.emplace(b.label, std::move(keys));
    }
    return needs;
}

TEST_P(ExpireProperty, HoldingsAreWhatThePlannerIsTold) {
    for_each_life([&](MadeUpCluster& cluster, const RetentionPolicy&) {
        MadeUpRepository made(cluster.facts());
        const auto holdings = read_holdings(made.repository(), {});
        ASSERT_TRUE(holdings.ok()) << holdings.error().to_string();
        std::map<std::string, std::pair<bool, std::optional<std::set<std::string>>>> expected, found;
        for (const BackupRecord& backup : cluster.facts().backups) {
            auto& [pinned, packs] = expected[backup.summary.label];
            pinned = backup.pinned;
            if (!backup.packs) continue;
            packs.emplace();
            for (const std::string& name : *backup.packs) packs->insert(made.pack_key(name));
        }
        for (const BackupRecord& backup : holdings->facts.backups) {
            auto& [pinned, packs] = found[backup.summary.label];
            pinned = backup.pinned;
            if (!backup.packs) continue;
            packs.emplace();
            for (const std::string& name : *backup.packs) packs->insert(made.layout().packs_prefix() + name);
        }
        EXPECT_EQ(found, expected);
        EXPECT_EQ(holdings->facts.packs.size(), cluster.facts().packs.size());
        EXPECT_EQ(holdings->facts.wal.size(), cluster.facts().wal.size());
        EXPECT_EQ(holdings->facts.histories.size(), cluster.facts().histories.size());
    });
}

TEST_P(ExpireProperty, NoInterruptionTakesFromABackupWhatItNeeds) {
    size_t removed = 0, interruptions = 0, gaps = 0;
    for_each_life([&](MadeUpCluster& cluster, const RetentionPolicy& policy) {
        MadeUpRepository straight(cluster.facts()), made(cluster.facts());
        ASSERT_TRUE(expire_repository(straight.repository(), options(straight, cluster, policy)).ok());
        const auto needs = needs_of(cluster.facts(), made);
        const std::set<std::string> kept = straight.keys(straight.layout().backups_prefix());

        // After every removal, whatever backup is still there has all that it had.
        const auto look = [&](StorageOperation operation, std::string_view key) {
            if (operation != StorageOperation::kRemove) return;
            removed++;
            for (const auto& [label, keys] : needs)
                EXPECT_FALSE(keys.contains(std::string(key)) && made.has(made.layout().manifest(label))) << key << " was needed by " << label;
            EXPECT_TRUE(!key.starts_with(made.layout().backups_prefix()) || !kept.contains(std::string(key)));
        };
        const auto run = options(made, cluster, policy);
        for (bool done = false; !done;) {
            // Fail one of the next calls that change something, refused or with its answer lost; now and then one that only reads.
            const bool counts_reading = cluster.one_in(8);
            int left = 1 + cluster.pick(counts_reading ? 300 : 15);
            bool opened = false;
            const bool lost_answer = cluster.one_in(2);
            const Error failure(ErrorCode::network, "no route to host");
            MemoryStorage& store = made.store();
            const Repository failing = made.open(
                [&](StorageOperation operation, std::string_view key) -> Result<void> {
                    const bool changes = operation == StorageOperation::kPut || operation == StorageOperation::kRemove;
                    if (!opened || (!changes && !counts_reading) || --left != 0) return {};
                    interruptions++;
                    if (lost_answer && operation == StorageOperation::kRemove) {
                        EXPECT_TRUE(store.remove(key).ok());
                        look(operation, key);
                    }
                    return failure;
                },
                look);
            opened = true;
            done = expire_repository(failing, run).ok();
            // Whoever was killed leaves its lease; here the process goes on, and gives it up where it can.
            for (const std::string& lease : made.keys(made.layout().leases_prefix())) EXPECT_TRUE(store.remove(lease).ok());
        }
        EXPECT_EQ(made.keys(), straight.keys());
        gaps += made.keys(made.layout().gaps_prefix()).size();
        const auto again = expire_repository(made.repository(), run);
        ASSERT_TRUE(again.ok());
        EXPECT_EQ(again->removed_objects, 0u);
        EXPECT_EQ(made.keys(), straight.keys());
    });
    EXPECT_GT(removed, 200u) << "otherwise nothing goes";
    EXPECT_GT(interruptions, 50u);
    EXPECT_GT(gaps, 5u);
}

// A segment behind a kept backup of its timeline never goes without a record of it.
TEST_P(ExpireProperty, EveryHoleIsRecordedBeforeItIsMade) {
    size_t holes = 0;
    for_each_life([&](MadeUpCluster& cluster, const RetentionPolicy& policy) {
        MadeUpRepository straight(cluster.facts()), made(cluster.facts());
        ASSERT_TRUE(expire_repository(straight.repository(), options(straight, cluster, policy)).ok());
        std::map<std::string, std::pair<TimelineId, uint64_t>> places;  // of segments, by key, behind a backup that stays
        for (const StoredWal& wal : cluster.facts().wal)
            for (const BackupRecord& backup : cluster.facts().backups) {
                const BackupSummary& b = backup.summary;
                if (b.timeline != wal.timeline || b.stop_timeline != wal.timeline || segment_of(b.start_lsn, kSize) > wal.first) continue;
                if (straight.has(straight.layout().manifest(b.label))) places.emplace(made.wal_key(wal.timeline, wal.first), std::pair(wal.timeline, wal.first));
            }
        const Repository watched = made.open({}, [&](StorageOperation operation, std::string_view key) {
            const auto place = places.find(std::string(key));
            if (operation != StorageOperation::kRemove || place == places.end()) return;
            holes++;
            const auto [timeline, segment] = place->second;
            bool recorded = false;
            for (const std::string& gap : made.keys(made.layout().gaps_prefix())) {
                const std::string name = gap.substr(gap.rfind('/') + 1);
                recorded |= std::stoul(name.substr(0, 8), nullptr, 16) == timeline && std::stoull(name.substr(9, 16), nullptr, 16) / kSize <= segment &&
                            std::stoull(name.substr(26), nullptr, 16) / kSize > segment;
            }
            EXPECT_TRUE(recorded) << key;
        });
        ASSERT_TRUE(expire_repository(watched, options(made, cluster, policy)).ok());
        // And what is recorded as pruned is not there.
        const auto holdings = read_holdings(made.repository(), {});
        for (const PrunedRange& range : holdings->pruned)
            for (uint64_t number = range.first; number <= range.last; number++) EXPECT_FALSE(made.has(made.wal_key(range.timeline, number)));
    });
    EXPECT_GT(holes, 20u);
}

// Restore points and the like share the fate of the WAL around them.
TEST_P(ExpireProperty, WhatBelongsToWalStaysAsLongAsTheWal) {
    size_t stayed = 0, went = 0;
    for_each_life([&](MadeUpCluster& cluster, const RetentionPolicy& policy) {
        MadeUpRepository made(cluster.facts());
        for (const StoredWal& wal : cluster.facts().wal) made.put(made.layout().restore_point(wal.timeline, start_lsn(wal.first, kSize) + 8), "x");
        ASSERT_TRUE(expire_repository(made.repository(), options(made, cluster, policy)).ok());
        for (const StoredWal& wal : cluster.facts().wal) {
            const bool there = made.has(made.wal_key(wal.timeline, wal.first));
            EXPECT_EQ(made.has(made.layout().restore_point(wal.timeline, start_lsn(wal.first, kSize) + 8)), there) << wal.timeline << ' ' << wal.first;
            (there ? stayed : went)++;
        }
    });
    EXPECT_GT(stayed, 100u);
    EXPECT_GT(went, 100u);
}

}  // namespace
}  // namespace steward
