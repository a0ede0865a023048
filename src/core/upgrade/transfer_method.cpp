#include "core/upgrade/transfer_method.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::array<std::pair<TransferMethod, std::string_view>, 6> kNames = {{
    {TransferMethod::kCopy, "copy"},
    {TransferMethod::kClone, "clone"},
    {TransferMethod::kCopyFileRange, "copy-file-range"},
    {TransferMethod::kLink, "link"},
    {TransferMethod::kSwap, "swap"},
    {TransferMethod::kDump, "dump"},
}};

/// Quickest first, and only those after which the old cluster is what it was.
constexpr std::array kPreference = {TransferMethod::kClone, TransferMethod::kCopyFileRange, TransferMethod::kCopy};

constexpr int kFirstWithCopyFileRange = 17;
constexpr int kFirstWithSwap = 18;

MethodVerdict judge_space(TransferMethod method, const TransferFacts& facts, std::string_view meaning) {
    uint64_t reserve = kUpgradeReserve;
    for (const FileSystemSpace& space : facts.file_systems) {
        const uint64_t needed = space.data_bytes + std::exchange(reserve, 0);
        if (space.free_bytes < needed)
            return {method, false, formatted("takes {} on the file system of \"{}\", where {} are free", pretty_size(needed), space.place, pretty_size(space.free_bytes))};
    }
    return {method, true, std::string(meaning)};
}

MethodVerdict judge_reflinks(TransferMethod method, const TransferFacts& facts) {
    if (!facts.one_file_system) return {method, false, "the new data directory would be on another file system"};
    if (!facts.reflinks) return {method, false, "the file system does not share blocks between files"};
    return {method, true, "shares the old cluster's blocks, which stays as it is"};
}

MethodVerdict judge_in_place(TransferMethod method, const TransferFacts& facts, std::string_view meaning) {
    if (!facts.one_file_system) return {method, false, "the new data directory would be on another file system"};
    if (facts.wal_elsewhere) return {method, false, "the WAL is elsewhere, and the copy that preserves the old cluster would need a WAL directory of its own"};
    return {method, true, std::string(meaning)};
}

MethodVerdict judge(TransferMethod method, const UpgradeHop& hop, const TransferFacts& facts) {
    switch (method) {
        case TransferMethod::kCopy: return judge_space(method, facts, "leaves the old cluster as it is");
        case TransferMethod::kClone: return judge_reflinks(method, facts);
        case TransferMethod::kCopyFileRange:
            if (hop.to < kFirstWithCopyFileRange) return {method, false, formatted("pg_upgrade of {} does not have it", hop.to)};
            return judge_reflinks(method, facts);
        case TransferMethod::kLink: return judge_in_place(method, facts, "the old cluster is lost once the new one has been started");
        case TransferMethod::kSwap:
            if (hop.to < kFirstWithSwap) return {method, false, formatted("pg_upgrade of {} does not have it", hop.to)};
            return judge_in_place(method, facts, "the old cluster is lost at once");
        case TransferMethod::kDump: return judge_space(method, facts, "writes everything anew; leaves the old cluster as it is");
    }
    return {method, false, ""};
}

}  // namespace

std::string_view name_of(TransferMethod method) { return std::ranges::find(kNames, method, &decltype(kNames)::value_type::first)->second; }

std::optional<TransferMethod> parse_transfer_method(std::string_view name) {
    const auto* const found = std::ranges::find(kNames, name, &decltype(kNames)::value_type::second);
    return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

std::vector<MethodVerdict> judge_methods(const UpgradeHop& hop, const TransferFacts& facts) {
    std::vector<MethodVerdict> verdicts;
    for (const auto& [method, name] : kNames) verdicts.push_back(judge(method, hop, facts));
    return verdicts;
}

std::optional<MethodVerdict> choose_method(const std::vector<MethodVerdict>& verdicts) {
    for (const TransferMethod method : kPreference) {
        const auto found = std::ranges::find(verdicts, method, &MethodVerdict::method);
        if (found != verdicts.end() && found->possible) return *found;
    }
    return std::nullopt;
}

}  // namespace steward
