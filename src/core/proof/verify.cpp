#include "core/proof/verify.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/backup/manifest.h"
#include "core/base/format.h"
#include "core/base/parallel.h"
#include "core/postgres/wal_name.h"
#include "core/proof/wal_holes.h"
#include "core/repository/object_range.h"
#include "core/repository/verification_record.h"
#include "core/restore/repository_facts.h"

namespace steward {

namespace {

/// Segments are stored many at a time: one that follows a hole may have overtaken those that fill it.
constexpr std::chrono::minutes kOvertaking{10};

enum class ItemState {
    kUnread,
    kGood,  ///< read now, or remembered
    kBad,
    kGone,  ///< removed since it was listed
};

struct Item {
    ObjectInfo object;
    std::optional<ObjectKind> kind;  ///< nothing: in a place where this release puts no object
    ItemState state = ItemState::kUnread;
    uint64_t length = 0;             ///< kGood: bytes of content
    TimePoint verified{};            ///< kGood
};

/// What is small, and read for what it says or because it changes.
bool is_always_read(const Item& item) {
    return item.kind == ObjectKind::kManifest || item.kind == ObjectKind::kGap || item.kind == ObjectKind::kLease ||
           item.kind == ObjectKind::kVerification;
}

/// What may be larger than memory, and never changes: read piece by piece, and only its head in a quick run.
bool is_large(ObjectKind kind) { return kind == ObjectKind::kPack || kind == ObjectKind::kWalSegment || kind == ObjectKind::kWalTail; }

class Verification {
public:
    Verification(const Repository& repository, const VerifyOptions& options, const Clock& clock, RestoreProgress& progress)
        : repository_(repository), options_(options), clock_(clock), progress_(progress), started_(clock.now()), last_record_(started_) {}

    Result<VerifyReport> run(const CancelToken& cancel) {
        TRY(recall());
        TRY(list());
        TRY_ASSIGN(content_, read_content(repository_));
        facts_ = merge_contents({&content_, 1}, repository_.identity().wal_segment_size);
        progress_.begin("verifying", bytes_to_read(), true);
        const Result<void> read = read_objects(cancel);
        if (!read.ok()) {
            if (report_.objects_read != 0) remember(false);
            return read.error();
        }
        TRY(check_backups(cancel));
        check_continuity();
        remember(true);
        for (auto& [key, problem] : problems_) report_.problems.push_back(std::move(problem));
        return std::move(report_);
    }

private:
    bool remembers() const { return options_.memory != VerifyMemory::kIgnore && options_.depth == VerifyDepth::kContent; }

    Result<void> recall() {
        if (!remembers()) return {};
        TRY_ASSIGN(RememberedVerification remembered, load_verification(repository_));
        for (Error& damaged : remembered.damaged) {
            const std::string key = damaged.object();
            note(key, std::move(damaged));
        }
        records_ = std::move(remembered.keys);
        if (options_.memory == VerifyMemory::kUse) known_ = std::move(remembered.record.verified);
        known_damaged_ = std::move(remembered.record.damaged);
        return {};
    }

    /// In the order of the keys: those of clusters come before identities.
    Result<void> list() {
        TRY(for_each_object(repository_.storage(), repository_.layout().prefix(), [&](const ObjectInfo& object) -> Result<void> {
            add(object, repository_.layout().kind_of(object.key));
            return {};
        }));
        return for_each_object(repository_.storage(), Layout::identity_prefix(repository_.cluster()), [&](const ObjectInfo& object) -> Result<void> {
            add(object, ObjectKind::kIdentity);
            return {};
        });
    }

    void add(const ObjectInfo& object, std::optional<ObjectKind> kind) {
        report_.objects++;
        report_.bytes += object.size;
        Item& item = items_.emplace_back(Item{object, kind});
        if (problems_.contains(object.key)) item.state = ItemState::kBad;
        const auto known = known_.find(object.key);
        if (known == known_.end() || known->second.size != object.size || known->second.modified != object.modified || is_too_old(known->second)) return;
        item.state = ItemState::kGood;
        item.length = known->second.length;
        item.verified = known->second.verified;
    }

    /// A time to come is of a clock that was wrong, and proves nothing.
    bool is_too_old(const VerifiedObject& object) const {
        return options_.recheck_after && (object.verified > started_ || started_ - object.verified >= *options_.recheck_after);
    }

    uint64_t bytes_to_read() const {
        uint64_t bytes = 0;
        for (const Item& item : items_)
            if (item.state == ItemState::kUnread || item.kind == ObjectKind::kManifest) bytes += item.object.size;
        return bytes;
    }

    Item* find(const std::string& key) {
        const auto found = std::ranges::lower_bound(items_, key, {}, [](const Item& item) -> const std::string& { return item.object.key; });
        return found != items_.end() && found->object.key == key ? &*found : nullptr;
    }

    void note(const std::string& key, Error problem) {
        const std::lock_guard lock(mutex_);
        problems_.emplace(key, std::move(problem));
        if (Item* const item = find(key)) item->state = ItemState::kBad;
    }

    bool has_problem(const std::string& key) {
        const std::lock_guard lock(mutex_);
        return problems_.contains(key);
    }

    /// Call `check` for every item that `wanted` picks, on all workers.
    template <typename Wanted, typename Check>
    Result<void> for_each_item(const CancelToken& cancel, Wanted wanted, Check check) {
        std::vector<size_t> todo;
        for (size_t i = 0; i < items_.size(); ++i)
            if (wanted(items_[i])) todo.push_back(i);
        std::atomic<size_t> next{0};
        return run_workers(options_.workers, cancel, [&](int, const CancelToken& stop) -> Result<void> {
            ObjectRangeReader reader;
            for (size_t i = next++; i < todo.size(); i = next++) {
                TRY(check_cancel(stop));
                Item& item = items_[todo[i]];
                conclude(item, check(reader, item));
                progress_.done += item.object.size;
                remember_now_and_then();
            }
            return {};
        });
    }

    void conclude(Item& item, Result<uint64_t> length) {
        if (!length.ok() && length.error().code() != ErrorCode::not_found) note(item.object.key, std::move(length).error());
        const std::lock_guard lock(mutex_);
        report_.objects_read++;
        report_.bytes_read += item.object.size;
        if (item.state == ItemState::kBad) return;
        item.state = length.ok() ? ItemState::kGood : ItemState::kGone;
        item.length = length.ok() ? *length : 0;
        item.verified = started_;
    }

    Result<void> read_objects(const CancelToken& cancel) {
        const auto wanted = [](const Item& item) { return item.state == ItemState::kUnread && item.kind != ObjectKind::kManifest; };
        return for_each_item(cancel, wanted, [this](ObjectRangeReader& reader, const Item& item) { return check_object(reader, item); });
    }

    /// Manifests come after all packs were looked at.
    Result<void> check_backups(const CancelToken& cancel) {
        const auto wanted = [](const Item& item) { return item.kind == ObjectKind::kManifest; };
        return for_each_item(cancel, wanted, [this](ObjectRangeReader&, const Item& item) { return check_backup(item.object.key); });
    }

    /// Return the length of the object's content.
    Result<uint64_t> check_object(ObjectRangeReader& reader, const Item& item) {
        const std::string& key = item.object.key;
        if (!item.kind) return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is not known", key)).object(key);
        if (is_large(*item.kind)) return check_content(reader, key, *item.kind);
        if (*item.kind == ObjectKind::kGap) return check_gap(key);
        TRY_ASSIGN(const Bytes object, read_object(repository_.storage(), key, kMaxContentInMemory));
        const uint64_t owner = *item.kind == ObjectKind::kIdentity ? 0 : repository_.identity().system_identifier;
        TRY_ASSIGN(const Bytes content, open_object(object, {key, *item.kind, owner}));
        return uint64_t{content.size()};
    }

    Result<uint64_t> check_content(ObjectRangeReader& reader, const std::string& key, ObjectKind kind) {
        TRY_ASSIGN(const ObjectHead head, repository_.load_head(key, kind));
        if (options_.depth == VerifyDepth::kContent) TRY(reader.read_all(repository_, key, head, [](ByteView) -> Result<void> { return {}; }));
        return head.plain_length;
    }

    Result<uint64_t> check_gap(const std::string& key) {
        TRY_ASSIGN(const std::optional<WalInterval> gap, load_accounted_gap(repository_, key));
        const std::lock_guard lock(mutex_);
        if (gap) accounted_.push_back(*gap);
        return uint64_t{0};
    }

    /// The manifest itself, the packs it refers to, and the WAL the backup needs.
    Result<uint64_t> check_backup(const std::string& key) {
        TRY_ASSIGN(const Bytes content, repository_.load(key, ObjectKind::kManifest));
        Result<Manifest> manifest = parse_manifest(as_text(content));
        if (!manifest.ok()) return std::move(manifest).error().object(key).context(formatted("while reading object \"{}\"", key));
        std::vector<Error> problems;
        for (const ManifestPack& pack : manifest->packs)
            if (auto problem = check_pack(pack, manifest->summary.label)) problems.push_back(std::move(*problem));
        if (Result<void> wal = check_wal(manifest->summary); !wal.ok()) problems.push_back(std::move(wal).error());
        if (!problems.empty()) {
            // Its packs and WAL go when a backup is expired: that is no damage.
            TRY_ASSIGN(const std::optional<ObjectInfo> still_there, repository_.storage().stat(key));
            if (!still_there) return object_not_found(key, repository_.url());
        }
        for (Error& problem : problems) {
            const std::string about = problem.object();
            note(about, std::move(problem));
        }
        const std::lock_guard lock(mutex_);
        report_.backups++;
        return uint64_t{content.size()};
    }

    /// What is wrong with a pack from the point of view of a backup. One that is damaged was noted already.
    std::optional<Error> check_pack(const ManifestPack& pack, const std::string& label) {
        const std::string key = repository_.layout().pack(pack.set, pack.number);
        const auto needed = [&](const std::string& what) {
            return Error(ErrorCode::corrupt_object, formatted("object \"{}\", which backup \"{}\" needs, {}", key, label, what)).object(key);
        };
        const std::lock_guard lock(mutex_);
        const Item* const item = find(key);
        if (item == nullptr || item->state == ItemState::kGone) return needed("is missing");
        if (item->object.size != pack.stored) return needed(formatted("has {} bytes instead of {}", item->object.size, pack.stored));
        if (item->state == ItemState::kGood && item->length != pack.length)
            return needed(formatted("holds {} bytes of content instead of {}", item->length, pack.length));
        return std::nullopt;
    }

    Result<void> check_wal(const BackupSummary& backup) const {
        const auto known = facts_->histories.find(backup.stop_timeline);
        const TimelineHistory history = known == facts_->histories.end() ? TimelineHistory(backup.stop_timeline) : known->second;
        const WalReach reach = reach_from(facts_->wal, history, backup.start_lsn);
        if (reach.whole_end >= backup.stop_lsn) return {};
        const uint32_t size = facts_->wal.segment_size();
        const std::string name = to_string(facts_->wal.on_history(history, segment_of(reach.whole_end, size)), size);
        return Error(ErrorCode::missing_wal, formatted("WAL segment \"{}\", which backup \"{}\" needs to become consistent, is missing", name, backup.label))
            .object(name);
    }

    /// Holes behind the oldest backup: nothing restores across them.
    void check_continuity() {
        const uint32_t size = repository_.identity().wal_segment_size;
        if (content_.backups.empty()) return;
        const auto oldest = std::ranges::min_element(content_.backups, {}, &BackupSummary::start_lsn);
        for (const WalInterval& hole : find_wal_holes(content_.wal, accounted_, oldest->start_lsn, size)) {
            const std::string first = to_string(WalSegmentName{hole.timeline, segment_of(hole.begin, size)}, size);
            const std::string after = to_string(WalSegmentName{hole.timeline, segment_of(hole.end, size)}, size);
            const Item* const follower = find(repository_.layout().wal(after));
            if (has_problem(first) || (follower != nullptr && started_ - follower->object.modified < kOvertaking)) continue;
            note(first, Error(ErrorCode::missing_wal, formatted("WAL segment \"{}\" is missing", first))
                            .object(first)
                            .detail(formatted("No restore reaches beyond {} on timeline {} from a backup before it.", hole.begin, hole.timeline)));
        }
    }

    void remember_now_and_then() {
        if (!remembers() || clock_.now() - last_record_.load() < options_.record_interval) return;
        std::unique_lock only_one(record_mutex_, std::try_to_lock);
        if (!only_one || report_.not_remembered) return;
        last_record_ = clock_.now();
        write_record(false);
    }

    void remember(bool finished) {
        const std::lock_guard only_one(record_mutex_);
        if (remembers()) write_record(finished);
    }

    /// record_mutex_ is held.
    void write_record(bool finished) {
        const Result<void> stored = store_verification(repository_, make_record(finished), options_.random + record_number_++, records_);
        if (stored.ok())
            report_.not_remembered.reset();
        else
            report_.not_remembered = stored.error();
    }

    VerificationRecord make_record(bool finished) {
        const std::lock_guard lock(mutex_);
        VerificationRecord record{clock_.now(), finished, report_.objects, report_.bytes, problems_.size(), {}, {}};
        for (const Item& item : items_) {
            const bool was_damaged = item.state == ItemState::kUnread && known_damaged_.contains(item.object.key);
            if (item.kind == ObjectKind::kPack && (item.state == ItemState::kBad || was_damaged)) record.damaged.insert(item.object.key);
            if (item.state == ItemState::kGood && !is_always_read(item))
                record.verified.emplace_hint(record.verified.end(), item.object.key,
                                             VerifiedObject{item.object.size, item.length, item.object.modified, item.verified});
        }
        return record;
    }

    const Repository& repository_;
    const VerifyOptions& options_;
    const Clock& clock_;
    RestoreProgress& progress_;
    const TimePoint started_;
    std::atomic<TimePoint> last_record_;
    std::map<std::string, VerifiedObject, std::less<>> known_;  // by earlier runs
    std::set<std::string> known_damaged_;                       // likewise
    RepositoryContent content_;
    std::optional<RestoreFacts> facts_;  // made of content_

    std::mutex mutex_;
    std::vector<Item> items_;                     // by key; states are guarded by mutex_ while workers run
    std::multimap<std::string, Error> problems_;  // by key; guarded by mutex_
    std::vector<WalInterval> accounted_;          // guarded by mutex_
    VerifyReport report_;                         // counters guarded by mutex_, not_remembered by record_mutex_

    std::mutex record_mutex_;
    std::vector<std::string> records_;  // these two guarded by record_mutex_
    uint64_t record_number_ = 0;
};

}  // namespace

Result<VerifyReport> verify_repository(const Repository& repository, const VerifyOptions& options, const Clock& clock, RestoreProgress& progress,
                                       const CancelToken& cancel) {
    return Verification(repository, options, clock, progress).run(cancel);
}

}  // namespace steward
