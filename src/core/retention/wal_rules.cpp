#include "core/retention/wal_rules.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>

#include "core/base/format.h"
#include "core/retention/wal_needs.h"

namespace steward {

namespace {

/// The reason, if any, for which no WAL goes at all.
std::optional<WalReason> find_hold(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const RetentionPolicy& policy) {
    if (policy.empty()) return WalReason{WalRule::kNothingExpires, {}, "no retention policy"};
    if (std::ranges::none_of(backups, &BackupState::complete)) return WalReason{WalRule::kNoCompleteBackup, {}, "no backup is complete"};
    if (facts.unreadable.empty()) return std::nullopt;
    const std::string& label = facts.unreadable.front();
    return WalReason{WalRule::kUnreadableBackup, label, formatted("backup \"{}\", which cannot be read, may need it", label)};
}

/// The bytes of the first `count` segments of an entry, all taken to be of one size. Adding up in parts loses nothing.
uint64_t bytes_of_first(const StoredWal& wal, uint64_t count) {
    const uint64_t segments = wal.last - wal.first + 1;
    return wal.stored_bytes / segments * count + wal.stored_bytes % segments * count / segments;
}

/// Add a piece of a stored entry to the verdicts, or to the last of them that it continues.
void add_piece(std::vector<WalVerdict>& verdicts, const StoredWal& wal, uint64_t first, uint64_t last, const std::vector<WalReason>& reasons) {
    const uint64_t bytes = bytes_of_first(wal, last - wal.first + 1) - bytes_of_first(wal, first - wal.first);
    const Verdict verdict = reasons.empty() ? Verdict::kRemove : Verdict::kKeep;
    const std::vector<WalReason> given = reasons.empty() ? std::vector{WalReason{WalRule::kUnneeded, {}, "no kept backup needs it"}} : reasons;
    if (!verdicts.empty()) {
        WalVerdict& before = verdicts.back();
        if (before.timeline == wal.timeline && before.last + 1 == first && before.reasons == given) {
            before.last = last;
            before.stored_bytes += bytes;
            return;
        }
    }
    verdicts.push_back({wal.timeline, first, last, bytes, verdict, given});
}

void judge_entry(std::vector<WalVerdict>& verdicts, const StoredWal& wal, const std::vector<WalReasonsFrom>& layout) {
    auto part = std::prev(std::ranges::upper_bound(layout, wal.first, {}, &WalReasonsFrom::first));
    for (uint64_t first = wal.first;; ++part) {
        const auto next = std::next(part);
        const bool is_last = next == layout.end() || next->first > wal.last;
        add_piece(verdicts, wal, first, is_last ? wal.last : next->first - 1, part->reasons);
        if (is_last) return;
        first = next->first;
    }
}

}  // namespace

std::vector<WalVerdict> judge_wal(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const Lineage& lineage,
                                  const RetentionPolicy& policy) {
    std::map<TimelineId, std::vector<WalReasonsFrom>> layouts;
    const std::optional<WalReason> hold = find_hold(facts, backups, policy);
    const WalReasonsFrom everywhere{0, hold ? std::vector{*hold} : std::vector<WalReason>{}};
    for (const StoredWal& wal : facts.wal) layouts.try_emplace(wal.timeline, std::vector{everywhere});
    if (!hold) {
        const std::string window = policy.window ? window_text(*policy.window) : std::string();
        for (const auto& [timeline, needs] : gather_wal_needs(facts, backups, lineage)) layouts[timeline] = lay_out(needs, window);
    }

    std::vector<StoredWal> stored = facts.wal;
    std::ranges::sort(stored, {}, [](const StoredWal& wal) { return std::tuple(wal.timeline, wal.first); });
    std::vector<WalVerdict> verdicts;
    for (const StoredWal& wal : stored) judge_entry(verdicts, wal, layouts.at(wal.timeline));
    return verdicts;
}

}  // namespace steward
