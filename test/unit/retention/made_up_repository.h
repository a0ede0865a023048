// A made-up cluster's repository, object by object, in memory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/backup/manifest.h"
#include "core/repository/repository.h"
#include "core/storage/memory_storage.h"
#include "retention/made_up_cluster.h"
#include "storage/hooked_storage.h"

namespace steward {

class MadeUpRepository {
public:
    static constexpr Identity kIdentity{7400000000000000001, 17, MadeUpCluster::kSegmentSize};

    MadeUpRepository() : repository_(open()) {}

    explicit MadeUpRepository(const ExpiryFacts& facts) : MadeUpRepository() {
        for (const StoredPack& pack : facts.packs) add_pack(pack);
        for (const StoredWal& wal : facts.wal) add_wal(wal.timeline, wal.first, wal.last);
        for (const auto& [timeline, history] : facts.histories) add_history(history);
        for (const BackupRecord& backup : facts.backups) add_backup(backup);
    }

    const Repository& repository() const { return repository_; }
    const Layout& layout() const { return repository_.layout(); }
    MemoryStorage& store() { return store_; }
    SettableClock& store_clock() { return clock_; }

    /// The same repository through hooks.
    Repository open(HookedStorage::Before before = {}, HookedStorage::After after = {}) {
        return Repository::open_or_claim(std::make_unique<HookedStorage>(store_, std::move(before), std::move(after)), "main", kIdentity, clock_).value();
    }

    /// "b003-1" is number 1 of the set "b003"; "b003" alone number 0.
    static ManifestPack pack_of(const std::string& name) {
        const size_t dash = name.rfind('-');
        if (dash == name.npos) return {name, 0, 1000, 1000};
        return {name.substr(0, dash), static_cast<unsigned>(std::stoul(name.substr(dash + 1))), 1000, 1000};
    }
    std::string pack_key(const std::string& name) const { return layout().pack(pack_of(name).set, pack_of(name).number); }
    std::string wal_key(TimelineId timeline, uint64_t number) const {
        return layout().wal(to_string(WalSegmentName{timeline, number}, MadeUpCluster::kSegmentSize));
    }

    void add_pack(const StoredPack& pack) {
        const TimePoint before = clock_.now();
        if (pack.created) clock_.set(*pack.created);
        put(pack_key(pack.name), std::string(pack.stored_bytes, 'p'));
        clock_.set(before);
    }
    void add_wal(TimelineId timeline, uint64_t first, uint64_t last) {
        for (uint64_t number = first; number <= last; number++) put(wal_key(timeline, number), "wal");
    }
    void add_history(const TimelineHistory& history) {
        std::string text;
        for (const TimelineHistoryEntry& entry : history.ancestors()) text += formatted("{}\t{}\t{}\n", entry.timeline, entry.switch_lsn, entry.reason);
        put_object(layout().wal(timeline_history_name(history.timeline())), ObjectKind::kTimelineHistory, text);
    }
    /// One whose packs are not known has a manifest that breaks off after its first line.
    void add_backup(const BackupRecord& backup) {
        Manifest manifest;
        manifest.summary = backup.summary;
        manifest.summary.system_identifier = kIdentity.system_identifier;
        for (const std::string& name : backup.packs.value_or(std::vector<std::string>())) manifest.packs.push_back(pack_of(name));
        std::string text = render_manifest(manifest);
        if (!backup.packs) text.resize(text.find('\n') + 1);
        put_object(layout().manifest(backup.summary.label), ObjectKind::kManifest, text);
        if (backup.pinned) put_object(layout().pin(backup.summary.label), ObjectKind::kPin, "{}");
    }
    void put_object(const std::string& key, ObjectKind kind, std::string_view content) {
        const BuiltObject object = build_object(kind, kIdentity.system_identifier, as_bytes(content), {Codec::kNone, 0});
        EXPECT_TRUE(store_.put(key, object.parts(), PutMode::kReplace).ok());
    }
    /// For what nobody reads.
    void put(const std::string& key, std::string_view content) {
        const ByteView parts[] = {as_bytes(content)};
        EXPECT_TRUE(store_.put(key, parts, PutMode::kReplace).ok());
    }

    std::set<std::string> keys(const std::string& prefix = "cluster/") {
        std::set<std::string> found;
        EXPECT_TRUE(for_each_object(store_, prefix, [&](const ObjectInfo& object) -> Result<void> {
                        found.insert(object.key);
                        return {};
                    }).ok());
        return found;
    }
    bool has(const std::string& key) { return store_.stat(key).value().has_value(); }

private:
    SettableClock clock_;
    MemoryStorage store_{clock_};
    Repository repository_;
};

}  // namespace steward
