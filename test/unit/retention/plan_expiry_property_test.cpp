// Plans for thousands of random lives of a cluster, against a check that knows nothing of rules: what could be restored before must be
// restorable after, where the policy asks for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "retention/made_up_cluster.h"

namespace steward {
namespace {

constexpr uint32_t kSize = MadeUpCluster::kSegmentSize;
using Segments = std::set<std::pair<TimelineId, uint64_t>>;
using Labels = std::set<std::string>;

/// A repository as restore sees it, one segment and one backup at a time.
class Held {
public:
    explicit Held(const ExpiryFacts& facts) : facts_(facts), histories_(facts.histories) {
        for (const StoredWal& wal : facts.wal)
            for (uint64_t number = wal.first; number <= wal.last; number++) segments_.insert({wal.timeline, number});
        for (const StoredPack& pack : facts.packs) packs_.insert(pack.name);
        for (const BackupRecord& b : facts.backups)
            for (const TimelineId timeline : {b.summary.timeline, b.summary.stop_timeline}) histories_.emplace(timeline, TimelineHistory(timeline));
    }

    const Segments& segments() const { return segments_; }

    bool has_packs(const BackupRecord& backup) const {
        return !backup.packs || std::ranges::all_of(*backup.packs, [&](const std::string& name) { return packs_.contains(name); });
    }

    /// Whether recovery from the backup along `history` reads its way up to `to`.
    bool reads(const BackupRecord& backup, const TimelineHistory& history, Lsn to) const {
        const BackupSummary& b = backup.summary;
        if (to < b.stop_lsn || !history.contains(b.timeline, b.start_lsn) || !history.contains(b.stop_timeline, b.stop_lsn)) return false;
        for (uint64_t number = b.start_lsn.value / kSize; number * kSize < to.value; number++)
            if (!segments_.contains({history.timeline_at(Lsn{(number + 1) * kSize - 1}), number})) return false;
        return has_packs(backup);
    }

    bool restores_to_itself(const BackupRecord& backup) const {
        return reads(backup, histories_.at(backup.summary.stop_timeline), backup.summary.stop_lsn);
    }

    bool reaches(const LivedMoment& moment) const {
        for (const auto& [timeline, history] : histories_) {
            if (!history.contains(moment.timeline, moment.lsn)) continue;
            for (const BackupRecord& backup : facts_.backups)
                if (backup.summary.stopped <= moment.time && reads(backup, history, moment.lsn)) return true;
        }
        return false;
    }

    /// The newest position that backup reaches along any timeline, for each timeline.
    std::map<TimelineId, uint64_t> reach(const BackupRecord& backup) const {
        std::map<TimelineId, uint64_t> reached;
        for (const auto& [timeline, history] : histories_) {
            uint64_t number = segment_of(backup.summary.stop_lsn, kSize) + 1;
            if (!reads(backup, history, start_lsn(number, kSize))) continue;
            while (segments_.contains({history.timeline_at(start_lsn(number + 1, kSize) - 1), number})) number++;
            reached[timeline] = number;
        }
        return reached;
    }

private:
    const ExpiryFacts& facts_;
    std::map<TimelineId, TimelineHistory> histories_;
    Segments segments_;
    std::set<std::string> packs_;
};

void execute(ExpiryFacts& facts, const Removal& removal) {
    switch (removal.kind) {
        case Removal::Kind::kManifest:
            EXPECT_EQ(std::erase_if(facts.backups, [&](const BackupRecord& b) { return b.summary.label == removal.name; }), 1u);
            break;
        case Removal::Kind::kPack:
            EXPECT_EQ(std::erase_if(facts.packs, [&](const StoredPack& p) { return p.name == removal.name; }), 1u);
            break;
        case Removal::Kind::kWal:
            EXPECT_EQ(std::erase_if(facts.wal, [&](const StoredWal& w) {
                return w.timeline == removal.timeline && w.first >= removal.first && w.last <= removal.last;
            }), removal.last - removal.first + 1);
            break;
    }
}

/// Removals of one segment each, as they are executed.
std::vector<Removal> single_steps(const ExpiryPlan& plan) {
    std::vector<Removal> steps;
    for (Removal removal : order_of_removal(plan)) {
        const uint64_t last = removal.last;
        for (; removal.kind == Removal::Kind::kWal && removal.first < last; removal.first++) {
            removal.last = removal.first;
            steps.push_back(removal);
        }
        removal.last = last;
        steps.push_back(removal);
    }
    return steps;
}

ExpiryFacts after(ExpiryFacts facts, const ExpiryPlan& plan) {
    for (const Removal& removal : order_of_removal(plan)) execute(facts, removal);
    return facts;
}

Labels labels_of(const ExpiryFacts& facts) {
    Labels labels;
    for (const BackupRecord& backup : facts.backups) labels.insert(backup.summary.label);
    return labels;
}

std::set<std::string> packs_of(const ExpiryFacts& facts) {
    std::set<std::string> names;
    for (const StoredPack& pack : facts.packs) names.insert(pack.name);
    return names;
}

RetentionPolicy random_policy(MadeUpCluster& cluster) {
    RetentionPolicy policy;
    while (policy.empty()) {
        if (cluster.one_in(3)) policy.count = 1 + cluster.pick(5);
        if (cluster.one_in(2)) policy.window = std::chrono::hours(1 + cluster.pick(24 * 40));
        for (unsigned* places : {&policy.daily, &policy.weekly, &policy.monthly, &policy.yearly})
            if (cluster.one_in(5)) *places = 1 + static_cast<unsigned>(cluster.pick(4));
    }
    return policy;
}

RetentionPolicy more_generous(RetentionPolicy policy, MadeUpCluster& cluster) {
    if (cluster.one_in(2)) policy.count = policy.count.value_or(0) + 1 + static_cast<unsigned>(cluster.pick(3));
    if (cluster.one_in(2)) policy.window = policy.window.value_or(std::chrono::hours(0)) + std::chrono::hours(1 + cluster.pick(24 * 20));
    for (unsigned* places : {&policy.daily, &policy.weekly, &policy.monthly, &policy.yearly})
        if (cluster.one_in(2)) *places += 1 + static_cast<unsigned>(cluster.pick(3));
    return policy;
}

class PlanExpiryProperty : public ::testing::TestWithParam<int> {
protected:
    static constexpr uint64_t kLives = 400;  ///< times eight parameters

    /// Call `check` with a cluster, its facts, rules and the plan for them.
    template <typename Check>
    void for_each_life(Check check) {
        for (uint64_t life = 0; life < kLives && !HasFailure(); life++) {
            const uint64_t seed = static_cast<uint64_t>(GetParam()) * 1'000'000 + life;
            MadeUpCluster cluster(seed);
            ExpiryRules rules;
            rules.policy = random_policy(cluster);
            rules.now = cluster.now();
            rules.pack_grace = std::chrono::hours(cluster.pick(30));
            rules.to_local = [](TimePoint time) { return LocalTime(time.time_since_epoch() + std::chrono::hours(5)); };
            SCOPED_TRACE(formatted("seed {}, policy {}", seed, to_string(rules.policy)));
            const auto plan = plan_expiry(cluster.facts(), rules);
            ASSERT_TRUE(plan.ok()) << plan.error().to_string();
            check(cluster, rules, *plan);
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Lives, PlanExpiryProperty, ::testing::Range(1, 9));

TEST_P(PlanExpiryProperty, KeptBackupsStayRestorableAtEveryStep) {
    for_each_life([](MadeUpCluster& cluster, const ExpiryRules&, const ExpiryPlan& plan) {
        ExpiryFacts facts = cluster.facts();
        const Held before(cluster.facts());
        for (const Removal& step : single_steps(plan)) {
            execute(facts, step);
            const Held now(facts);
            for (const BackupRecord& backup : facts.backups)
                ASSERT_EQ(now.restores_to_itself(backup), before.restores_to_itself(backup)) << backup.summary.label;
        }
    });
}

TEST_P(PlanExpiryProperty, EveryMomentOfTheWindowStaysReachable) {
    size_t reachable = 0, lost = 0;
    for_each_life([&](MadeUpCluster& cluster, const ExpiryRules& rules, const ExpiryPlan& plan) {
        if (!rules.policy.window) return;
        const ExpiryFacts left = after(cluster.facts(), plan);
        const Held before(cluster.facts()), now(left);
        for (const LivedMoment& moment : cluster.moments()) {
            if (!before.reaches(moment)) continue;
            if (moment.time < rules.now - *rules.policy.window) {
                lost += !now.reaches(moment);
                continue;
            }
            reachable++;
            ASSERT_TRUE(now.reaches(moment)) << format_time(moment.time) << ", timeline " << moment.timeline << ", " << to_string(moment.lsn);
        }
    });
    EXPECT_GT(reachable, 100u) << "otherwise nothing is tested";
    EXPECT_GT(lost, 100u) << "otherwise nothing goes";
}

TEST_P(PlanExpiryProperty, TheNewestBackupsStay) {
    for_each_life([](MadeUpCluster& cluster, const ExpiryRules& rules, const ExpiryPlan& plan) {
        std::vector<const BackupRecord*> complete;
        const Held before(cluster.facts());
        for (const BackupRecord& backup : cluster.facts().backups)
            if (before.restores_to_itself(backup)) complete.push_back(&backup);
        std::ranges::sort(complete, {}, [](const BackupRecord* b) { return std::tuple(b->summary.timeline, b->summary.start_lsn, b->summary.label); });
        const ExpiryFacts left = after(cluster.facts(), plan);
        const Labels kept = labels_of(left);
        const size_t count = std::max(1u, rules.policy.count.value_or(0));
        for (size_t i = complete.size(); i-- > 0 && complete.size() - i <= count;) EXPECT_TRUE(kept.contains(complete[i]->summary.label));
        const auto clean = std::find_if(complete.rbegin(), complete.rend(), [](const BackupRecord* b) { return b->summary.checksum_failures == 0; });
        EXPECT_TRUE(clean == complete.rend() || kept.contains((*clean)->summary.label));
        for (const BackupRecord& backup : cluster.facts().backups)
            EXPECT_TRUE(!backup.pinned || kept.contains(backup.summary.label));
        // From the newest ones on, recovery gets as far as before.
        const Held now(left);
        for (size_t i = complete.size(); i-- > 0 && complete.size() - i <= count;) EXPECT_EQ(now.reach(*complete[i]), before.reach(*complete[i]));
    });
}

TEST_P(PlanExpiryProperty, PlanningAgainRemovesNothingMore) {
    for_each_life([](MadeUpCluster& cluster, const ExpiryRules& rules, const ExpiryPlan& plan) {
        const ExpiryFacts left = after(cluster.facts(), plan);
        const auto again = plan_expiry(left, rules);
        ASSERT_TRUE(again.ok());
        EXPECT_TRUE(order_of_removal(*again).empty());
        EXPECT_EQ(again->totals.removed.wal_segments, 0u);
        EXPECT_EQ(again->totals.kept.wal_bytes, plan.totals.kept.wal_bytes);
    });
}

TEST_P(PlanExpiryProperty, AnInterruptedRunIsFinishedByTheNext) {
    for_each_life([](MadeUpCluster& cluster, const ExpiryRules& rules, const ExpiryPlan& plan) {
        const ExpiryFacts whole = after(cluster.facts(), plan);
        const std::vector<Removal> steps = single_steps(plan);
        if (steps.empty()) return;
        const int done = cluster.pick(static_cast<int>(steps.size()));
        ExpiryFacts facts = cluster.facts();
        for (int i = 0; i < done; i++) execute(facts, steps[static_cast<size_t>(i)]);
        const auto rest = plan_expiry(facts, rules);
        ASSERT_TRUE(rest.ok());
        facts = after(facts, *rest);
        EXPECT_EQ(labels_of(facts), labels_of(whole));
        EXPECT_EQ(packs_of(facts), packs_of(whole));
        EXPECT_EQ(Held(facts).segments(), Held(whole).segments());
    });
}

TEST_P(PlanExpiryProperty, AMoreGenerousPolicyKeepsASuperset) {
    for_each_life([](MadeUpCluster& cluster, const ExpiryRules& rules, const ExpiryPlan& plan) {
        ExpiryRules generous = rules;
        generous.policy = more_generous(rules.policy, cluster);
        const auto other = plan_expiry(cluster.facts(), generous);
        ASSERT_TRUE(other.ok());
        const ExpiryFacts less = after(cluster.facts(), plan), more = after(cluster.facts(), *other);
        const Held less_held(less), more_held(more);
        EXPECT_TRUE(std::ranges::includes(labels_of(more), labels_of(less))) << to_string(generous.policy);
        EXPECT_TRUE(std::ranges::includes(packs_of(more), packs_of(less))) << to_string(generous.policy);
        EXPECT_TRUE(std::ranges::includes(more_held.segments(), less_held.segments())) << to_string(generous.policy);
    });
}

// Nothing is kept for nothing: of WAL that no kept or running backup could ever read, along any timeline, nothing stays.
TEST_P(PlanExpiryProperty, WalBehindEveryKeptBackupGoes) {
    size_t removed = 0;
    for_each_life([&](MadeUpCluster& cluster, const ExpiryRules&, const ExpiryPlan& plan) {
        const ExpiryFacts left = after(cluster.facts(), plan);
        removed += cluster.facts().wal.size() - left.wal.size();
        if (std::ranges::all_of(plan.backups, [](const BackupVerdict& b) { return !b.incomplete.empty(); })) return;
        uint64_t oldest = UINT64_MAX;
        for (const BackupRecord& backup : left.backups)
            oldest = std::min(oldest, std::min(backup.summary.start_lsn.value, backup.summary.stop_lsn.value) / kSize);
        for (const RunningBackup& backup : left.running) oldest = std::min(oldest, backup.start_lsn.value / kSize);
        for (const StoredWal& wal : left.wal) EXPECT_GE(wal.first, oldest);
        // And every pack that stays has a referrer, is young, or may have one.
        std::set<std::string> referenced;
        bool unknown = false;
        const auto refer = [&](const std::optional<std::vector<std::string>>& packs) {
            unknown |= !packs;
            if (packs) referenced.insert(packs->begin(), packs->end());
        };
        for (const BackupRecord& backup : left.backups) refer(backup.packs);
        for (const RunningBackup& backup : left.running) refer(backup.packs);
        for (const PackVerdict& pack : plan.packs)
            EXPECT_TRUE(pack.verdict == Verdict::kRemove || unknown || referenced.contains(pack.name) || pack.rule == PackRule::kYoung ||
                        pack.rule == PackRule::kAgeUnknown)
                << pack.name << ": " << pack.text;
    });
    EXPECT_GT(removed, 1000u) << "otherwise nothing goes";
}

}  // namespace
}  // namespace steward
