// Facts about a made-up repository, for tests of what expires.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "core/retention/plan_expiry.h"

namespace steward {

inline constexpr uint32_t kExpirySegmentSize = 1024 * 1024;

/// Noon of the n-th day of 2026 (UTC), which is also the tests' local time.
inline TimePoint expiry_day(int n) { return *parse_time("2026-01-01 12:00:00Z") + std::chrono::days(n); }

class ExpiryTest : public ::testing::Test {
protected:
    ExpiryTest() {
        facts_.wal_segment_size = kExpirySegmentSize;
        rules_.now = expiry_day(100);
        rules_.pack_grace = std::chrono::days(1);
        rules_.to_local = [](TimePoint time) { return LocalTime(time.time_since_epoch()); };
    }

    /// A backup that needs the segments `segment` and the following one, and a pack of its own.
    BackupRecord& add(const std::string& label, TimelineId timeline, uint64_t segment, int day) {
        BackupRecord record;
        record.summary.label = label;
        record.summary.timeline = record.summary.stop_timeline = timeline;
        record.summary.start_lsn = {segment * kExpirySegmentSize + 40};
        record.summary.stop_lsn = {(segment + 1) * kExpirySegmentSize + 80};
        record.summary.wal_segment_size = kExpirySegmentSize;
        record.summary.stopped = expiry_day(day);
        record.summary.started = record.summary.stopped - std::chrono::hours(1);
        record.packs = {label};
        add_pack(label, day);
        facts_.backups.push_back(std::move(record));
        return facts_.backups.back();
    }

    void add_pack(const std::string& name, int day) { facts_.packs.push_back({name, 1000, expiry_day(day)}); }

    void add_wal(TimelineId timeline, uint64_t first, uint64_t last) {
        for (uint64_t number = first; number <= last; number++) facts_.wal.push_back({timeline, number, number, 10});
    }

    void remove_wal(TimelineId timeline, uint64_t number) {
        std::erase_if(facts_.wal, [&](const StoredWal& wal) { return wal.timeline == timeline && wal.first == number; });
    }

    /// `timeline` forked off `parent` in the middle of `segment`.
    void add_fork(TimelineId timeline, TimelineId parent, uint64_t segment) {
        std::vector<TimelineHistoryEntry> ancestors;
        if (const auto found = facts_.histories.find(parent); found != facts_.histories.end()) ancestors = found->second.ancestors();
        ancestors.push_back({parent, {segment * kExpirySegmentSize + kExpirySegmentSize / 2}, "test"});
        facts_.histories.emplace(timeline, TimelineHistory(timeline, ancestors));
    }

    ExpiryPlan plan(std::string_view policy) {
        rules_.policy = *parse_retention(policy);
        auto made = plan_expiry(facts_, rules_);
        EXPECT_TRUE(made.ok()) << made.error().to_string();
        return std::move(made).value();
    }

    std::vector<std::string> kept(std::string_view policy) {
        std::vector<std::string> labels;
        for (const BackupVerdict& backup : plan(policy).backups)
            if (backup.verdict == Verdict::kKeep) labels.push_back(backup.label);
        return labels;
    }

    std::vector<std::string> reasons(std::string_view policy, std::string_view label) {
        std::vector<std::string> texts;
        for (const BackupVerdict& backup : plan(policy).backups)
            if (backup.label == label)
                for (const BackupReason& reason : backup.reasons) texts.push_back(reason.text);
        return texts;
    }

    /// "1:3..5 keep: reason; reason"
    std::vector<std::string> wal(std::string_view policy) {
        std::vector<std::string> texts;
        for (const WalVerdict& range : plan(policy).wal) {
            std::string text = formatted("{}:{}..{} {}", range.timeline, range.first, range.last, range.verdict == Verdict::kKeep ? "keep" : "remove");
            for (const WalReason& reason : range.reasons) text += (&reason == &range.reasons.front() ? ": " : "; ") + reason.text;
            texts.push_back(text);
        }
        return texts;
    }

    std::vector<std::string> removed_packs(std::string_view policy) {
        std::vector<std::string> names;
        for (const PackVerdict& pack : plan(policy).packs)
            if (pack.verdict == Verdict::kRemove) names.push_back(pack.name);
        return names;
    }

    ExpiryFacts facts_;
    ExpiryRules rules_;
};

}  // namespace steward
