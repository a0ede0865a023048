#include "core/retention/explain_expiry.h"

#include <map>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

void append(std::string& text, std::string_view reason) {
    if (!text.empty()) text += "; ";
    text += reason;
}

template <typename Reasons>
std::string join(const Reasons& reasons) {
    std::string text;
    for (const auto& reason : reasons) append(text, reason.text);
    return text;
}

ExpiryRow explain_backup(const BackupVerdict& backup) {
    std::string reason = join(backup.reasons);
    if (!backup.incomplete.empty()) append(reason, "not complete: " + backup.incomplete);
    return {ExpiryRow::Kind::kBackup, backup.label, backup.verdict, std::move(reason), 0};
}

void explain_packs(std::vector<ExpiryRow>& rows, const std::vector<PackVerdict>& packs) {
    struct Group {
        uint64_t packs = 0;
        uint64_t bytes = 0;
    };
    std::map<std::pair<PackRule, std::string_view>, Group> groups;
    for (const PackVerdict& pack : packs) {
        Group& group = groups[{pack.rule, pack.text}];
        group.packs++;
        group.bytes += pack.stored_bytes;
    }
    for (const auto& [reason, group] : groups) {
        const Verdict verdict = reason.first == PackRule::kUnreferenced ? Verdict::kRemove : Verdict::kKeep;
        rows.push_back({ExpiryRow::Kind::kPacks, formatted("{} {}", group.packs, group.packs == 1 ? "pack" : "packs"), verdict,
                        std::string(reason.second), group.bytes});
    }
}

ExpiryRow explain_wal(const WalVerdict& wal, uint32_t segment_size) {
    std::string label = to_string(WalSegmentName{wal.timeline, wal.first}, segment_size);
    if (wal.last != wal.first) label += " to " + to_string(WalSegmentName{wal.timeline, wal.last}, segment_size);
    return {ExpiryRow::Kind::kWal, std::move(label), wal.verdict, join(wal.reasons), wal.stored_bytes};
}

}  // namespace

std::string_view to_string(Verdict verdict) { return verdict == Verdict::kKeep ? "keep" : "remove"; }

std::vector<ExpiryRow> explain(const ExpiryPlan& plan) {
    std::vector<ExpiryRow> rows;
    for (const BackupVerdict& backup : plan.backups) rows.push_back(explain_backup(backup));
    explain_packs(rows, plan.packs);
    for (const WalVerdict& wal : plan.wal) rows.push_back(explain_wal(wal, plan.wal_segment_size));
    return rows;
}

std::vector<ExpiryRow> explain(const std::vector<Leftover>& leftovers) {
    struct Group {
        uint64_t objects = 0;
        uint64_t bytes = 0;
    };
    std::map<LeftoverKind, Group> groups;
    for (const Leftover& leftover : leftovers) {
        groups[leftover.kind].objects++;
        groups[leftover.kind].bytes += leftover.stored_bytes;
    }
    std::vector<ExpiryRow> rows;
    for (const auto& [kind, group] : groups)
        rows.push_back({ExpiryRow::Kind::kOther, formatted("{} {}", group.objects, name_of(kind, group.objects)), Verdict::kRemove,
                        kind == LeftoverKind::kPin ? "there is no such backup" : "no kept backup needs it", group.bytes});
    return rows;
}

}  // namespace steward
