#include "core/proof/verify.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "core/archive/wal_push.h"
#include "core/backup/manifest.h"
#include "core/base/format.h"
#include "core/base/parallel.h"
#include "core/postgres/wal_name.h"
#include "core/restore/object_range.h"
#include "core/restore/repository_facts.h"

namespace steward {

namespace {

class Verification {
public:
    Verification(const Repository& repository, VerifyDepth depth, RestoreProgress& progress)
        : repository_(repository), depth_(depth), progress_(progress) {}

    Result<VerifyReport> run(int workers, const CancelToken& cancel) {
        TRY(list());
        TRY_ASSIGN(const RepositoryContent content, read_content(repository_));
        facts_ = merge_contents({&content, 1}, repository_.identity().wal_segment_size);
        progress_.begin("verifying", report_.bytes, true);
        TRY(run_workers(workers, cancel, [this](int, const CancelToken& stop) { return work(stop); }));
        for (auto& [key, problem] : problems_) report_.problems.push_back(std::move(problem));
        return std::move(report_);
    }

private:
    Result<void> list() {
        const Layout& layout = repository_.layout();
        for (const std::string& prefix : {layout.backups_prefix(), layout.packs_prefix(), layout.wal_prefix()})
            TRY(for_each_object(repository_.storage(), prefix, [&](const ObjectInfo& object) -> Result<void> {
                report_.objects++;
                report_.bytes += object.size;
                sizes_.emplace(object.key, object.size);
                objects_.push_back(object);
                return {};
            }));
        return {};
    }

    Result<void> work(const CancelToken& stop) {
        ObjectRangeReader reader;
        for (size_t i = next_++; i < objects_.size(); i = next_++) {
            TRY(check_cancel(stop));
            Result<void> checked = check_object(reader, objects_[i]);
            if (!checked.ok()) note(objects_[i].key, std::move(checked).error());
            progress_.done += objects_[i].size;
        }
        return {};
    }

    void note(const std::string& key, Error problem) {
        const std::lock_guard lock(mutex_);
        problems_.emplace(key, std::move(problem));
    }

    Result<void> check_object(ObjectRangeReader& reader, const ObjectInfo& object) {
        if (const auto label = repository_.layout().label_of_manifest(object.key)) return check_backup(*label, object.key);
        const std::string name = object.key.substr(object.key.rfind('/') + 1);
        ObjectKind kind = ObjectKind::kPack;
        if (object.key.starts_with(repository_.layout().wal_prefix())) {
            if (!classify_wal_file(name)) return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is not known", object.key)).object(object.key);
            kind = wal_object_kind(name);
        }
        return check_content(reader, object.key, kind);
    }

    Result<void> check_content(ObjectRangeReader& reader, const std::string& key, ObjectKind kind) {
        TRY_ASSIGN(const ObjectHead head, repository_.load_head(key, kind));
        if (depth_ == VerifyDepth::kQuick) return {};
        return reader.read_all(repository_, key, head, [](ByteView) -> Result<void> { return {}; });
    }

    /// The manifest itself, the packs it refers to, and the WAL the backup needs.
    Result<void> check_backup(const std::string& label, const std::string& key) {
        TRY_ASSIGN(const Bytes content, repository_.load(key, ObjectKind::kManifest));
        Result<Manifest> manifest = parse_manifest(as_text(content));
        if (!manifest.ok()) return std::move(manifest).error().object(key).context(formatted("while reading object \"{}\"", key));
        for (const ManifestPack& pack : manifest->packs) {
            const std::string pack_key = repository_.layout().pack(pack.set, pack.number);
            const auto found = sizes_.find(pack_key);
            if (found == sizes_.end())
                note(pack_key, Error(ErrorCode::corrupt_object, formatted("object \"{}\", which backup \"{}\" needs, is missing", pack_key, label))
                                   .object(pack_key));
            else if (found->second != pack.stored)
                note(pack_key, Error(ErrorCode::corrupt_object, formatted("object \"{}\", which backup \"{}\" needs, has {} bytes instead of {}",
                                                                          pack_key, label, found->second, pack.stored))
                                   .object(pack_key));
        }
        const std::lock_guard lock(mutex_);
        report_.backups++;
        return check_wal(manifest->summary);
    }

    Result<void> check_wal(const BackupSummary& backup) const {
        const auto known = facts_->histories.find(backup.stop_timeline);
        const TimelineHistory history = known == facts_->histories.end() ? TimelineHistory(backup.stop_timeline) : known->second;
        const WalReach reach = reach_from(facts_->wal, history, backup.start_lsn);
        if (reach.end >= backup.stop_lsn) return {};
        const uint32_t size = facts_->wal.segment_size();
        const std::string name = to_string(facts_->wal.on_history(history, segment_of(reach.end, size)), size);
        return Error(ErrorCode::missing_wal, formatted("WAL segment \"{}\", which backup \"{}\" needs to become consistent, is missing", name, backup.label))
            .object(name);
    }

    const Repository& repository_;
    const VerifyDepth depth_;
    RestoreProgress& progress_;
    std::vector<ObjectInfo> objects_;
    std::atomic<size_t> next_{0};
    std::map<std::string, uint64_t> sizes_;
    std::optional<RestoreFacts> facts_;
    std::mutex mutex_;
    std::multimap<std::string, Error> problems_;  // by key; guarded by mutex_
    VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verify_repository(const Repository& repository, VerifyDepth depth, int workers, RestoreProgress& progress,
                                       const CancelToken& cancel) {
    return Verification(repository, depth, progress).run(workers, cancel);
}

}  // namespace steward
