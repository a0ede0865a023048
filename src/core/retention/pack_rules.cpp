#include "core/retention/pack_rules.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "core/base/format.h"

namespace steward {

namespace {

struct Answer {
    PackRule rule;
    std::string text;
};

/// What is known of references, gathered once.
class PackRules {
public:
    PackRules(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const ExpiryRules& rules)
        : rules_(rules), hold_(find_hold(facts, backups, rules.policy)) {
        for (const BackupState& backup : backups)
            if (backup.kept()) add(backup.record->packs, backup.summary().label, referenced_);
        for (const RunningBackup& backup : facts.running) add(backup.packs, backup.label, running_);
    }

    Answer judge(const StoredPack& pack) const {
        if (hold_) return *hold_;
        if (referenced_.contains(pack.name)) return {PackRule::kReferenced, "referenced by kept backups"};
        if (running_.contains(pack.name)) return {PackRule::kRunningBackup, "used by a running backup"};
        if (!unknown_.empty()) return {PackRule::kReferencesUnknown, formatted("the packs of backup \"{}\" are not known", unknown_)};
        if (!pack.created) return {PackRule::kAgeUnknown, "its age is not known"};
        if (rules_.now - *pack.created < rules_.pack_grace) return {PackRule::kYoung, "may belong to a backup that is being taken elsewhere"};
        return {PackRule::kUnreferenced, "no kept backup refers to it"};
    }

private:
    using Names = std::unordered_set<std::string_view>;

    /// The reason, if any, for which no pack goes at all.
    static std::optional<Answer> find_hold(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const RetentionPolicy& policy) {
        if (policy.empty()) return Answer{PackRule::kNothingExpires, "no retention policy"};
        if (std::ranges::none_of(backups, &BackupState::complete)) return Answer{PackRule::kNoCompleteBackup, "no backup is complete"};
        if (facts.unreadable.empty()) return std::nullopt;
        return Answer{PackRule::kUnreadableBackup,
                      formatted("backup \"{}\", which cannot be read, may refer to it", facts.unreadable.front())};
    }

    void add(const std::optional<std::vector<std::string>>& packs, std::string_view label, Names& names) {
        if (packs)
            names.insert(packs->begin(), packs->end());
        else
            unknown_ = label;
    }

    const ExpiryRules& rules_;
    std::optional<Answer> hold_;
    Names referenced_;
    Names running_;
    std::string_view unknown_;  ///< a backup whose packs are not known, or empty
};

}  // namespace

std::vector<PackVerdict> judge_packs(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const ExpiryRules& rules) {
    const PackRules pack_rules(facts, backups, rules);
    std::vector<PackVerdict> verdicts;
    verdicts.reserve(facts.packs.size());
    for (const StoredPack& pack : facts.packs) {
        Answer answer = pack_rules.judge(pack);
        const Verdict verdict = answer.rule == PackRule::kUnreferenced ? Verdict::kRemove : Verdict::kKeep;
        verdicts.push_back({pack.name, pack.stored_bytes, verdict, answer.rule, std::move(answer.text)});
    }
    std::ranges::sort(verdicts, {}, &PackVerdict::name);
    return verdicts;
}

}  // namespace steward
