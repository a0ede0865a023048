#include "core/repository/layout.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "core/base/format.h"
#include "core/postgres/wal_name.h"

namespace steward {

Layout::Layout(std::string cluster, uint64_t system_identifier) : base_(formatted("cluster/{}/{:016x}/", cluster, system_identifier)) {}

std::string Layout::identities_prefix() { return "identity/"; }

std::optional<std::string> Layout::cluster_of_identity(std::string_view key) {
    const std::string prefix = identities_prefix();
    const size_t slash = key.rfind('/');
    if (!key.starts_with(prefix) || slash == std::string_view::npos || slash <= prefix.size()) return std::nullopt;
    return std::string(key.substr(prefix.size(), slash - prefix.size()));
}

std::string Layout::identity_prefix(std::string_view cluster) { return formatted("{}{}/", identities_prefix(), cluster); }
std::string Layout::identity(std::string_view cluster, unsigned number) { return formatted("{}{:04}", identity_prefix(cluster), number); }

std::optional<unsigned> Layout::number_of_identity(std::string_view cluster, std::string_view key) {
    const std::string prefix = identity_prefix(cluster);
    unsigned number = 0;
    if (!key.starts_with(prefix) || std::from_chars(key.data() + prefix.size(), key.data() + key.size(), number).ec != std::errc()) return std::nullopt;
    // What builds the same key again is one of ours.
    return identity(cluster, number) == key ? std::optional(number) : std::nullopt;
}

std::optional<ObjectKind> Layout::kind_of(std::string_view key) const {
    if (key.starts_with(wal_prefix())) {
        const std::string_view name = key.substr(key.rfind('/') + 1);
        const std::optional<WalFileKind> kind = classify_wal_file(name);
        if (!kind || key != wal(name)) return std::nullopt;
        return *kind == WalFileKind::kTimelineHistory ? ObjectKind::kTimelineHistory
               : *kind == WalFileKind::kBackupHistory ? ObjectKind::kBackupHistory
                                                      : ObjectKind::kWalSegment;
    }
    if (key.starts_with(backups_prefix())) return label_of_manifest(key) ? std::optional(ObjectKind::kManifest) : std::nullopt;
    const std::pair<std::string, ObjectKind> areas[] = {
        {packs_prefix(), ObjectKind::kPack},
        {wal_tails_prefix(), ObjectKind::kWalTail},
        {restore_points_prefix(), ObjectKind::kRestorePoint},
        {gaps_prefix(), ObjectKind::kGap},
        {pins_prefix(), ObjectKind::kPin},
        {leases_prefix(), ObjectKind::kLease},
        {verifications_prefix(), ObjectKind::kVerification},
        {drills_prefix(), ObjectKind::kDrill},
    };
    for (const auto& [area, kind] : areas)
        if (key.starts_with(area)) return kind;
    return std::nullopt;
}

std::string Layout::wal_prefix() const { return base_ + "wal/"; }

std::string Layout::wal(std::string_view name) const {
    if (name.ends_with(".history")) return wal_prefix() + std::string(name);
    return formatted("{}wal/{}/{}/{}", base_, name.substr(0, 8), name.substr(8, 8), name);
}

std::string Layout::wal_timeline_prefix(uint32_t timeline) const { return formatted("{}wal/{:08X}/", base_, timeline); }

std::string Layout::backups_prefix() const { return base_ + "backups/"; }
std::string Layout::manifest(std::string_view label) const { return formatted("{}backups/{}/manifest", base_, label); }

std::optional<std::string> Layout::label_of_manifest(std::string_view key) const {
    const std::string prefix = backups_prefix();
    constexpr std::string_view kSuffix = "/manifest";
    if (!key.starts_with(prefix) || !key.ends_with(kSuffix) || key.size() <= prefix.size() + kSuffix.size()) return std::nullopt;
    return std::string(key.substr(prefix.size(), key.size() - prefix.size() - kSuffix.size()));
}

std::string Layout::packs_prefix() const { return base_ + "packs/"; }
std::string Layout::pack(std::string_view set, unsigned number) const { return formatted("{}packs/{}/{:06}", base_, set, number); }

std::string Layout::wal_tails_prefix() const { return base_ + "wal-tail/"; }
std::string Layout::wal_tail_prefix(std::string_view name) const { return formatted("{}wal-tail/{}/{}/", base_, name.substr(0, 8), name); }
std::string Layout::wal_tail(std::string_view name, uint32_t begin, uint32_t end) const {
    return formatted("{}{:08X}-{:08X}", wal_tail_prefix(name), begin, end);
}

std::optional<WalTailKey> Layout::parse_wal_tail(std::string_view key) const {
    constexpr size_t kRange = 8 + 1 + 8;
    const size_t slash = key.rfind('/');
    if (!key.starts_with(wal_tails_prefix()) || key.size() - slash - 1 != kRange) return std::nullopt;
    const size_t before = key.rfind('/', slash - 1);
    WalTailKey piece{std::string(key.substr(before + 1, slash - before - 1)), 0, 0};
    const auto read = [](std::string_view digits, uint32_t& number) {
        const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
        return problem == std::errc() && end == digits.data() + digits.size();
    };
    const std::string_view range = key.substr(slash + 1);
    if (range[8] != '-' || !read(range.substr(0, 8), piece.begin) || !read(range.substr(9), piece.end)) return std::nullopt;
    // What builds the same key again is one of ours.
    if (piece.begin >= piece.end || piece.segment.size() < 8 || wal_tail(piece.segment, piece.begin, piece.end) != key) return std::nullopt;
    return piece;
}

std::string Layout::restore_points_prefix() const { return base_ + "restore-points/"; }
std::string Layout::restore_point(uint32_t timeline, Lsn lsn) const { return formatted("{}restore-points/{:08X}-{:016X}", base_, timeline, lsn.value); }
std::string Layout::gaps_prefix() const { return base_ + "gaps/"; }
std::string Layout::gap(uint32_t timeline, Lsn begin, Lsn end) const {
    return formatted("{}gaps/{:08X}-{:016X}-{:016X}", base_, timeline, begin.value, end.value);
}

std::string Layout::pins_prefix() const { return base_ + "pins/"; }
std::string Layout::pin(std::string_view label) const { return formatted("{}pins/{}", base_, label); }
std::string Layout::leases_prefix() const { return base_ + "leases/"; }
std::string Layout::lease(std::string_view name) const { return formatted("{}leases/{}", base_, name); }
std::string Layout::verifications_prefix() const { return base_ + "proofs/verification/"; }
std::string Layout::verification(std::string_view name) const { return formatted("{}proofs/verification/{}", base_, name); }
std::string Layout::drills_prefix() const { return base_ + "proofs/drill/"; }
std::string Layout::drill(std::string_view name) const { return formatted("{}proofs/drill/{}", base_, name); }

Result<void> check_label(std::string_view label) {
    const bool good = !label.empty() && label.size() <= 64 && label.front() != '.' && label.front() != '-' &&
                      std::ranges::all_of(label, [](unsigned char c) { return c < 128 && (std::isalnum(c) || c == '-' || c == '_' || c == '.'); });
    if (good) return {};
    return Error(ErrorCode::invalid_argument, formatted("invalid backup label \"{}\"", label))
        .hint("Use 1 to 64 letters, digits, \"-\", \"_\" or \".\", beginning with a letter, a digit or \"_\".");
}

}  // namespace steward
