// Random lives of a cluster: WAL, backups, promotions and point-in-time recoveries, one after the other in time.
#pragma once

#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/base/format.h"
#include "core/retention/plan_expiry.h"

namespace steward {

/// A moment at which the cluster was at a position.
struct LivedMoment {
    TimePoint time;
    TimelineId timeline;
    Lsn lsn;
};

class MadeUpCluster {
public:
    static constexpr uint32_t kSegmentSize = 1024 * 1024;

    explicit MadeUpCluster(uint64_t seed) : random_(seed) {
        facts_.wal_segment_size = kSegmentSize;
        histories_.emplace(1, TimelineHistory(1));
        const int steps = 3 + pick(40);
        for (int i = 0; i < steps; i++) step();
        spoil();
    }

    const ExpiryFacts& facts() const { return facts_; }
    const std::vector<LivedMoment>& moments() const { return moments_; }
    TimePoint now() const { return now_; }

    int pick(int below) { return static_cast<int>(random_() % static_cast<uint64_t>(below)); }
    bool one_in(int n) { return pick(n) == 0; }

private:
    void step() {
        switch (pick(8)) {
            case 0: one_in(2) ? promote() : recover(); break;
            case 1:
            case 2:
            case 3: take_backup(); break;
            case 4: start_backup_that_runs(); break;
            default: live(1 + pick(4)); break;
        }
    }

    /// Some hours pass, and WAL is written.
    void live(int steps) {
        for (int i = 0; i < steps; i++) {
            now_ += std::chrono::minutes(1 + pick(3000));
            write(static_cast<uint64_t>(pick(3 * static_cast<int>(kSegmentSize))) + 1);
            moments_.push_back({now_, timeline_, lsn_});
        }
    }

    /// What is archived is whole: the segment in which the cluster is now may be archived too, as after a switch.
    void write(uint64_t bytes) {
        const Lsn from = lsn_;
        lsn_ = lsn_ + bytes;
        for (uint64_t number = segment_of(from, kSegmentSize); number <= segment_of(lsn_, kSegmentSize); number++)
            archived_.insert({timeline_, number});
    }

    void take_backup() {
        BackupRecord record;
        BackupSummary& summary = record.summary;
        summary.label = formatted("b{:03}", facts_.backups.size());
        summary.wal_segment_size = kSegmentSize;
        summary.timeline = timeline_;
        summary.start_lsn = lsn_;
        summary.started = now_;
        live(1 + pick(2));
        if (one_in(8)) {
            promote();
            live(1);
        }
        summary.stop_timeline = timeline_;
        summary.stop_lsn = lsn_;
        summary.stopped = now_;
        summary.checksum_failures = one_in(6) ? 1 : 0;
        record.pinned = one_in(8);
        record.packs = refer_to_packs(summary.label);
        facts_.backups.push_back(std::move(record));
    }

    std::vector<std::string> refer_to_packs(const std::string& set) {
        std::vector<std::string> packs;
        for (const StoredPack& pack : facts_.packs)
            if (one_in(4)) packs.push_back(pack.name);
        for (int i = pick(3); i >= 0; i--) {
            packs.push_back(formatted("{}-{}", set, i));
            facts_.packs.push_back({packs.back(), static_cast<uint64_t>(pick(1000)), now_});
        }
        return packs;
    }

    void start_backup_that_runs() {
        if (!one_in(4)) return;
        RunningBackup running{formatted("r{:03}", facts_.running.size()), timeline_, lsn_, std::nullopt};
        if (!one_in(4)) running.packs = refer_to_packs(running.label);
        facts_.running.push_back(std::move(running));
    }

    void fork(const TimelineHistory& parent, Lsn at) {
        std::vector<TimelineHistoryEntry> ancestors = parent.ancestors();
        ancestors.push_back({parent.timeline(), at, "made up"});
        // As the server does: a fork before the beginning of its parent keeps the parent's ancestors as they are.
        timeline_ = histories_.rbegin()->first + 1;
        histories_.emplace(timeline_, TimelineHistory(timeline_, std::move(ancestors)));
        lsn_ = at;
        write(1);
    }

    void promote() { fork(histories_.at(timeline_), lsn_); }

    /// Point-in-time recovery to a moment of the past; what came after it on its timeline is left behind.
    void recover() {
        if (moments_.empty()) return;
        const LivedMoment& to = moments_[static_cast<size_t>(pick(static_cast<int>(moments_.size())))];
        now_ += std::chrono::minutes(1 + pick(600));
        // Recovery may follow a younger timeline than the one on which the moment was.
        std::vector<TimelineId> along;
        for (const auto& [timeline, history] : histories_)
            if (history.contains(to.timeline, to.lsn)) along.push_back(timeline);
        fork(histories_.at(along[static_cast<size_t>(pick(static_cast<int>(along.size())))]), to.lsn);
    }

    /// Holes, lost history files, unknown references, orphans.
    void spoil() {
        const bool holes = one_in(2);
        for (const auto& [timeline, number] : archived_)
            if (!holes || !one_in(25)) facts_.wal.push_back({timeline, number, number, static_cast<uint64_t>(pick(1000))});
        for (const auto& [timeline, history] : histories_)
            if (timeline > 1 && !one_in(20)) facts_.histories.emplace(timeline, history);
        if (one_in(10))
            for (BackupRecord& backup : facts_.backups)
                if (one_in(10)) backup.packs.reset();
        if (one_in(10) && !facts_.packs.empty()) facts_.packs.erase(facts_.packs.begin() + pick(static_cast<int>(facts_.packs.size())));
        for (int i = pick(3); i > 0; i--) {
            facts_.packs.push_back({formatted("orphan-{}", i), 1, now_ - std::chrono::hours(pick(48))});
            if (one_in(3)) facts_.packs.back().created.reset();
        }
        now_ += std::chrono::minutes(pick(5000));
    }

    std::mt19937_64 random_;
    ExpiryFacts facts_;
    std::vector<LivedMoment> moments_;
    std::map<TimelineId, TimelineHistory> histories_;
    std::set<std::pair<TimelineId, uint64_t>> archived_;
    TimelineId timeline_ = 1;
    Lsn lsn_{kSegmentSize};
    TimePoint now_ = *parse_time("2026-01-01 00:00:00Z");
};

}  // namespace steward
