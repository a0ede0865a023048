#include "core/backup/increment_base.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/repository/catalog.h"
#include "core/repository/verification_record.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr auto kSummaryPause = 20ms;

/// Sizes of all objects of the sets that `packs` are in, by key.
Result<std::map<std::string, uint64_t>> list_pack_sizes(const Repository& repository, std::span<const ManifestPack> packs) {
    std::set<std::string_view> sets;
    for (const ManifestPack& pack : packs) sets.insert(pack.set);
    std::map<std::string, uint64_t> sizes;
    for (const std::string_view set : sets)
        TRY(for_each_object(repository.storage(), formatted("{}{}/", repository.layout().packs_prefix(), set), [&](const ObjectInfo& object) -> Result<void> {
            sizes.emplace(object.key, object.size);
            return {};
        }));
    return sizes;
}

bool is_there(const std::map<std::string, uint64_t>& sizes, const Layout& layout, const ManifestPack& pack) {
    const auto found = sizes.find(layout.pack(pack.set, pack.number));
    return found != sizes.end() && found->second == pack.stored;
}

/// Whether every repository holds this content as the manifest of `label`.
Result<bool> is_everywhere(std::span<const Repository> repositories, const std::string& label, const Digest& digest) {
    for (const Repository& repository : repositories) {
        const auto found = repository.look_up(repository.layout().manifest(label), digest, ObjectKind::kManifest);
        if (!found.ok()) {
            if (found.error().code() == ErrorCode::content_conflict || found.error().code() == ErrorCode::corrupt_object) return false;
            return found.error();
        }
        if (!*found) return false;
    }
    return true;
}

Result<std::optional<Manifest>> load_common_manifest(std::span<const Repository> repositories, const std::string& label) {
    const Repository& first = repositories.front();
    TRY_ASSIGN(const Bytes content, first.load(first.layout().manifest(label), ObjectKind::kManifest));
    TRY_ASSIGN(const bool everywhere, is_everywhere(repositories.subspan(1), label, content_digest_of(content)));
    if (!everywhere) return std::optional<Manifest>();
    TRY_ASSIGN(Manifest manifest, parse_manifest(as_text(content)));
    return std::optional(std::move(manifest));
}

Result<std::vector<bool>> find_usable_packs(std::span<const Repository> repositories, const Manifest& manifest) {
    std::vector<bool> usable = find_sparse_packs(manifest, manifest.summary.data_bytes / kSparseBudgetDivisor);
    usable.flip();
    for (const Repository& repository : repositories) {
        TRY_ASSIGN(const auto sizes, list_pack_sizes(repository, manifest.packs));
        TRY_ASSIGN(const std::set<std::string> damaged, load_damaged_packs(repository));
        const auto is_sound = [&](const ManifestPack& pack) {
            return is_there(sizes, repository.layout(), pack) && !damaged.contains(repository.layout().pack(pack.set, pack.number));
        };
        for (size_t i = 0; i < usable.size(); ++i) usable[i] = usable[i] && is_sound(manifest.packs[i]);
    }
    return usable;
}

Result<std::vector<WalSummaryName>> list_summaries(const fs::path& directory) {
    std::vector<WalSummaryName> names;
    std::error_code problem;
    for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem))
        if (const auto name = parse_wal_summary_name(entry->path().filename().native())) names.push_back(*name);
    // A server that has never summarised anything has no directory.
    if (problem && problem != std::errc::no_such_file_or_directory)
        return Error::from_errno(problem.value(), formatted("could not read directory \"{}\"", directory.native())).object(directory.native());
    return names;
}

/// The summaries that cover all of it, once they are there.
Result<std::optional<std::vector<WalSummaryName>>> await_summaries(const fs::path& directory, TimelineId timeline, Lsn begin, Lsn end,
                                                                   std::chrono::milliseconds patience, RetryTimer& timer, const CancelToken& cancel) {
    const auto deadline = timer.now() + patience;
    for (;;) {
        TRY(check_cancel(cancel));
        TRY_ASSIGN(std::vector<WalSummaryName> available, list_summaries(directory));
        WalSummaryCover cover = cover_with_summaries(std::move(available), timeline, begin, end);
        if (cover.reached >= end) return std::optional(std::move(cover.names));
        // The server summarises in order: what is missing at the beginning does not come any more.
        if (cover.names.empty() || timer.now() >= deadline) return std::optional<std::vector<WalSummaryName>>();
        timer.wait(kSummaryPause, cancel);
    }
}

}  // namespace

Result<std::optional<IncrementBase>> find_increment_base(std::span<const Repository> repositories, Log& log, const CancelToken& cancel) {
    Catalog catalog;
    TRY_ASSIGN(const std::vector<BackupSummary> backups, catalog.read(repositories.front()));
    for (auto backup = backups.rbegin(); backup != backups.rend(); ++backup) {
        TRY(check_cancel(cancel));
        Result<std::optional<Manifest>> manifest = load_common_manifest(repositories, backup->label);
        if (!manifest.ok()) {
            if (manifest.error().retryable()) return manifest.error();
            log.warning("manifest_unusable", manifest.error());
            continue;
        }
        if (!*manifest) continue;
        TRY_ASSIGN(std::vector<bool> usable, find_usable_packs(repositories, **manifest));
        return std::optional(IncrementBase{std::move(**manifest), std::move(usable)});
    }
    return std::optional<IncrementBase>();
}

Result<void> check_packs_are_there(std::span<const Repository> repositories, std::span<const ManifestPack> packs) {
    for (const Repository& repository : repositories) {
        TRY_ASSIGN(const auto sizes, list_pack_sizes(repository, packs));
        for (const ManifestPack& pack : packs) {
            if (is_there(sizes, repository.layout(), pack)) continue;
            const std::string key = repository.layout().pack(pack.set, pack.number);
            return Error(ErrorCode::wrong_state, formatted("object \"{}\" was removed from repository \"{}\" during the backup", key, repository.url()))
                .hint("Take another backup.")
                .object(key);
        }
    }
    return {};
}

bool may_trust_summaries(const BackupSummary& base, const SummaryTrust& trust) {
    // Damaged pages are looked at again by every backup, until they are cured.
    if (base.checksum_failures != 0 || !base.last_full_read) return false;
    // pg_checksums writes to every page, and nothing to WAL.
    if (base.data_checksums != trust.data_checksums) return false;
    // Summaries end with their timeline, and what is at its ends was summarised wrongly by some releases of 17 and 18.
    if (base.timeline != trust.timeline || base.stop_timeline != trust.timeline || base.start_lsn > trust.start_lsn) return false;
    return trust.started - *base.last_full_read < trust.full_read_interval;
}

Result<std::optional<ChangedBlocks>> read_changed_blocks(const fs::path& data_directory, TimelineId timeline, Lsn begin, Lsn end,
                                                         std::chrono::milliseconds patience, RetryTimer& timer, Log& log, const CancelToken& cancel) {
    const fs::path directory = data_directory / "pg_wal/summaries";
    TRY_ASSIGN(const auto names, await_summaries(directory, timeline, begin, end, patience, timer, cancel));
    if (!names) return std::optional<ChangedBlocks>();
    ChangedBlocks changes;
    for (const WalSummaryName& name : *names) {
        const fs::path path = directory / to_string(name);
        const Result<Bytes> content = read_file(path);
        // The server removes old ones.
        if (!content.ok() && content.error().code() == ErrorCode::not_found) return std::optional<ChangedBlocks>();
        if (!content.ok()) return content.error();
        if (Result<void> added = changes.add(*content); !added.ok()) {
            log.warning("wal_summary_unusable", std::move(added).error().object(path.native()).context(formatted("while reading file \"{}\"", path.native())));
            return std::optional<ChangedBlocks>();
        }
    }
    return std::optional(std::move(changes));
}

}  // namespace steward
