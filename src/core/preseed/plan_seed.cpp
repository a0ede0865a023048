#include "core/preseed/plan_seed.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::string_view kUntouched = "Nothing was touched.";
constexpr std::string_view kCheckNames = "Check which volume is mounted, and the names in --repository, --cluster and --expect-system-identifier.";

bool is_upgrade_in_the_way(const SeedEvidence& evidence) { return evidence.upgrade && !evidence.upgrade->is_out_of_the_way(); }

/// One decision in the making: the operator's words, the directory, the repositories.
class Planner {
public:
    Planner(const SeedRequest& request, const SeedEvidence& evidence, std::span<const RepositoryEvidence> repositories)
        : request_(request), evidence_(evidence), repositories_(repositories) {}

    SeedDecision decide() const {
        if (!evidence_.unmounted.empty()) return refuse_unmounted();
        if (is_upgrade_in_the_way(evidence_)) return refuse(upgrade_in_the_way(*evidence_.upgrade));
        switch (evidence_.content) {
            case SeedContent::kCluster: return decide_on_cluster();
            case SeedContent::kDamaged: return refuse_damaged();
            case SeedContent::kForeign: return refuse_foreign();
            case SeedContent::kMissing:
            case SeedContent::kEmpty:
            case SeedContent::kInterrupted: break;
        }
        if (request_.restore) return decide_on_restore();
        if (is_interrupted()) return refuse_interrupted();
        return request_.initialize ? decide_on_consent() : refuse_nothing_allowed();
    }

private:
    const std::string& directory() const { return evidence_.directory.native(); }
    bool is_interrupted() const { return evidence_.content == SeedContent::kInterrupted || evidence_.restore_leftover; }
    bool is_any(RepositoryState state) const {
        return std::ranges::any_of(repositories_, [&](const RepositoryEvidence& repository) { return repository.state == state; });
    }
    std::string urls_of(auto&& condition) const {
        std::vector<std::string> urls;
        for (const RepositoryEvidence& repository : repositories_)
            if (condition(repository)) urls.push_back(formatted("\"{}\"", repository.url));
        return formatted("{}", fmt::join(urls, ", "));
    }

    static SeedDecision refuse(Error error) {
        SeedDecision decision;
        decision.reason = error.detail();
        decision.refusal = std::move(error);
        return decision;
    }

    SeedDecision refuse_unmounted() const {
        std::string detail;
        for (const UnmountedPlace& place : evidence_.unmounted) detail += (detail.empty() ? "" : " ") + place.reason;
        return refuse(Error(ErrorCode::wrong_state, formatted("a volume of data directory \"{}\" is not mounted", directory()))
                          .detail(std::move(detail))
                          .hint(formatted("{} Mount the volume, or make the directory if none belongs there, and run this again.", kUntouched))
                          .object(evidence_.unmounted.front().path.native()));
    }

    std::string shown_names() const {
        const std::string names = formatted("{}", fmt::join(evidence_.names, "\", \""));
        return formatted("Among its {} entries are \"{}\".", evidence_.entries, names);
    }

    SeedDecision refuse_damaged() const {
        return refuse(Error(ErrorCode::corrupt_object, formatted("data directory \"{}\" holds a damaged cluster", directory()))
                          .detail(evidence_.damage)
                          .hint(formatted("{} To replace it, run \"pg_steward restore\" with --preserve-existing, which renames it first.", kUntouched))
                          .object(directory()));
    }

    SeedDecision refuse_foreign() const {
        return refuse(Error(ErrorCode::already_exists, formatted("data directory \"{}\" holds something else than a cluster", directory()))
                          .detail(shown_names())
                          .hint(formatted("{} Move its content away, or name another directory.", kUntouched))
                          .object(directory()));
    }

    SeedDecision refuse_interrupted() const {
        return refuse(Error(ErrorCode::not_found, formatted("data directory \"{}\" has a restore that was interrupted, and no cluster", directory()))
                          .detail(evidence_.restore_leftover ? formatted("\"{}\" is what it left.", restore_workplace(evidence_.directory).native())
                                                             : std::string("The mark of the restore is in it."))
                          .hint("Use --restore to finish it.")
                          .object(directory()));
    }

    SeedDecision refuse_nothing_allowed() const {
        return refuse(Error(ErrorCode::not_found, formatted("data directory \"{}\" holds no cluster", directory()))
                          .detail(formatted("It is {}, and neither a restore nor a new cluster was asked for.", to_string(evidence_.content)))
                          .hint("Use --restore to bring the cluster back from a repository, or --initialize to make a new, empty one.")
                          .object(directory()));
    }

    /// What to type for a cluster that had the name before, for `wanted` or for any; empty when there is none with a backup.
    std::string former_system(std::optional<uint64_t> wanted) const {
        for (const RepositoryEvidence& repository : repositories_)
            for (const uint64_t former : repository.former)
                if (former == wanted.value_or(former))
                    return formatted("Cluster {} had the name before and has backups in \"{}\": \"pg_steward restore --system-identifier {}\" brings it back.", former,
                                     repository.url, former);
        return {};
    }

    SeedDecision refuse_identity(const std::string& whose, uint64_t found, uint64_t expected) const {
        const std::string former = former_system(expected);
        return refuse(Error(ErrorCode::foreign_repository, formatted("{} is another database cluster than the expected one", whose))
                          .detail(formatted("Its system identifier is {}, {} is expected.", found, expected))
                          .hint(formatted("{} {}", kUntouched, former.empty() ? kCheckNames : former))
                          .object(directory()));
    }

    void note_unreachable(SeedDecision& decision) const {
        for (const RepositoryEvidence& repository : repositories_)
            if (repository.state == RepositoryState::kUnreachable)
                decision.notes.push_back(formatted("Repository \"{}\" could not be reached: {}.", repository.url, repository.problem));
    }

    /// Whether the cluster in the directory takes the name over from this one when its server starts.
    bool is_predecessor(uint64_t identifier) const {
        return evidence_.cluster && std::ranges::find(evidence_.cluster->predecessors, identifier) != evidence_.cluster->predecessors.end();
    }

    void note_other_clusters(SeedDecision& decision, uint64_t identifier) const {
        for (const RepositoryEvidence& repository : repositories_)
            if (repository.system_identifier && is_predecessor(*repository.system_identifier))
                decision.notes.push_back(formatted("Repository \"{}\" knows it as {}, as which it was upgraded; the server goes on there under its own.",
                                                   repository.url, *repository.system_identifier));
            else if (repository.system_identifier && *repository.system_identifier != identifier)
                decision.notes.push_back(formatted("Repository \"{}\" holds another cluster under this name, with system identifier {}.",
                                                   repository.url, *repository.system_identifier));
    }

    SeedDecision decide_on_cluster() const {
        const uint64_t identifier = evidence_.cluster->system_identifier;
        const std::string whose = formatted("the cluster in data directory \"{}\"", directory());
        if (request_.expected_identifier && !is_known_as(*request_.expected_identifier))
            return refuse_identity(whose, identifier, *request_.expected_identifier);
        // As for a restore, the first repository that can be reached says whose they are.
        const auto first = std::ranges::find_if(repositories_, [](const RepositoryEvidence& r) { return r.system_identifier.has_value(); });
        if (first != repositories_.end() && !is_known_as(*first->system_identifier))
            return refuse_identity(formatted("{}, as repository \"{}\" knows it,", whose, first->url), identifier, *first->system_identifier);
        SeedDecision decision;
        decision.action = SeedAction::kPresent;
        decision.reason = formatted("It holds cluster {} of PostgreSQL {}, last seen \"{}\".", identifier, evidence_.cluster->major,
                                    to_string(evidence_.cluster->state));
        decision.system_identifier = identifier;
        note_unreachable(decision);
        note_other_clusters(decision, identifier);
        if (evidence_.marker)
            decision.notes.push_back(formatted("File \"{}\" is of a restore that had not begun, or was done: the cluster is whole.", kRestoreMarker));
        note_upgrade(decision);
        note_leftovers(decision);
        return decision;
    }

    /// An upgrade gives a cluster another identifier. The old one is good for it too: its mark says so, and its journal as long as that is there.
    bool is_known_as(uint64_t identifier) const {
        const bool was_its_own = evidence_.upgrade && evidence_.upgrade->has_upgraded() && identifier == evidence_.upgrade->request.system_identifier;
        return was_its_own || is_predecessor(identifier) || identifier == evidence_.cluster->system_identifier;
    }

    void note_upgrade(SeedDecision& decision) const {
        if (evidence_.upgrade) decision.notes.push_back(describe_rest(*evidence_.upgrade));
        if (request_.expected_identifier && *request_.expected_identifier != evidence_.cluster->system_identifier)
            decision.notes.push_back(formatted("Cluster {} was expected, and has been upgraded. Expect {} from now on.", *request_.expected_identifier, evidence_.cluster->system_identifier));
    }

    void note_leftovers(SeedDecision& decision) const {
        if (evidence_.restore_leftover)
            decision.notes.push_back(formatted("\"{}\" is left of an earlier preseed and not needed.", restore_workplace(evidence_.directory).native()));
        if (evidence_.initdb_leftover)
            decision.notes.push_back(formatted("\"{}\" is left of an earlier preseed and not needed.", initdb_workplace(evidence_.directory).native()));
    }

    SeedDecision refuse_unconfigured() const {
        return refuse(Error(ErrorCode::configuration, "no repository is configured")
                          .detail("A restore was asked for, and there is nothing to restore from.")
                          .hint("Name it with --repository URL, PG_STEWARD_REPOSITORY or a configuration file."));
    }

    /// The cluster that is to be restored: the expected one, or that of the first repository with a backup.
    std::optional<uint64_t> wanted_identifier() const {
        for (const RepositoryEvidence& repository : repositories_)
            if (repository.state == RepositoryState::kWithBackups &&
                (!request_.expected_identifier || repository.system_identifier == request_.expected_identifier))
                return repository.system_identifier;
        return std::nullopt;
    }

    SeedDecision decide_on_restore() const {
        if (repositories_.empty()) return refuse_unconfigured();
        const std::optional<uint64_t> identifier = wanted_identifier();
        if (!identifier) return decide_without_backup();
        SeedDecision decision;
        decision.action = SeedAction::kRestore;
        decision.system_identifier = identifier;
        for (size_t i = 0; i < repositories_.size(); ++i)
            if (repositories_[i].system_identifier == identifier) decision.repositories.push_back(i);
        const bool there = evidence_.content == SeedContent::kInterrupted || evidence_.in_place;
        decision.workplace = there ? evidence_.directory : restore_workplace(evidence_.directory);
        decision.resume = there ? evidence_.content == SeedContent::kInterrupted : evidence_.restore_leftover;
        decision.reason = formatted("It is {}, and repository \"{}\" has backups of cluster {}.",
                                    is_interrupted() ? "what an interrupted restore left" : to_string(evidence_.content),
                                    repositories_[decision.repositories.front()].url, *identifier);
        note_unreachable(decision);
        note_other_clusters(decision, *identifier);
        return decision;
    }

    SeedDecision decide_without_backup() const {
        const auto is_unreachable = [](const RepositoryEvidence& repository) { return repository.state == RepositoryState::kUnreachable; };
        if (is_any(RepositoryState::kUnreachable)) {
            std::string problems;
            for (const RepositoryEvidence& repository : repositories_)
                if (is_unreachable(repository)) problems += formatted("{}{}.", problems.empty() ? "" : " ", repository.problem);
            return refuse(Error(ErrorCode::network, formatted("could not reach {}, and no other repository has a backup", urls_of(is_unreachable)))
                              .detail(std::move(problems))
                              .hint("Run this again when it can be reached. No cluster was made, because the missing one may be there."));
        }
        if (request_.expected_identifier)
            for (const RepositoryEvidence& repository : repositories_)
                if (repository.system_identifier && repository.system_identifier != request_.expected_identifier)
                    return refuse_identity(formatted("what repository \"{}\" holds", repository.url), *repository.system_identifier,
                                           *request_.expected_identifier);
        const bool proven_empty = !is_any(RepositoryState::kWithoutBackup) && !is_interrupted();
        if (proven_empty && request_.initialize && !request_.expected_identifier)
            return initialize("Every repository was reached, and none knows a cluster of this name.");
        return refuse_no_backup();
    }

    SeedDecision refuse_no_backup() const {
        const std::string used = urls_of([](const RepositoryEvidence& r) { return r.state == RepositoryState::kWithoutBackup; });
        const std::string former = former_system({});
        return refuse(Error(ErrorCode::not_found, "no repository has a backup to restore")
                          .detail(used.empty() ? std::string("Every repository was reached, and none knows a cluster of this name.")
                                               : formatted("A cluster of this name is known in {}, without a backup.", used))
                          .hint(!former.empty() ? former
                                : request_.initialize
                                    ? std::string("Check --cluster and --expect-system-identifier. A new cluster needs a name that no repository knows.")
                                    : std::string("Check --repository and --cluster. If there never was such a cluster, allow a new one with --initialize."))
                          .object(directory()));
    }

    SeedDecision decide_on_consent() const {
        const std::string holding =
            urls_of([](const RepositoryEvidence& r) { return r.state == RepositoryState::kWithBackups || r.state == RepositoryState::kWithoutBackup; });
        if (!holding.empty())
            return refuse(Error(ErrorCode::already_exists, "a cluster of this name has data in a repository")
                              .detail(formatted("It is known in {}. A new cluster could not archive there.", holding))
                              .hint("Use --restore to bring it back, or give the new cluster a name of its own with --cluster.")
                              .object(directory()));
        SeedDecision decision = initialize("A new cluster was asked for.");
        note_unreachable(decision);
        return decision;
    }

    SeedDecision initialize(std::string_view why) const {
        if (request_.expected_identifier)
            return refuse(Error(ErrorCode::not_found, formatted("data directory \"{}\" holds no cluster", directory()))
                              .detail(formatted("Cluster {} is expected, and a new one has another system identifier.", *request_.expected_identifier))
                              .hint("Use --restore, or leave --expect-system-identifier out.")
                              .object(directory()));
        if (evidence_.upgrade)
            return refuse(Error(ErrorCode::not_found, formatted("data directory \"{}\" holds no cluster any more", directory()))
                              .detail(formatted("\"{}\" is of an upgrade of the one that was there.", evidence_.upgrade->work_directory.native()))
                              .hint("Use --restore to bring it back. If it is not wanted any more, remove that directory.")
                              .object(directory()));
        if (evidence_.in_place)
            return refuse(Error(ErrorCode::invalid_argument, formatted("data directory \"{}\" is a mount point", directory()))
                              .detail("A new cluster is made beside it and renamed, which a mount point cannot be.")
                              .hint("Use a directory below it.")
                              .object(directory()));
        SeedDecision decision;
        decision.action = SeedAction::kInitialize;
        decision.workplace = initdb_workplace(evidence_.directory);
        decision.reason = formatted("It is {}. {}", to_string(evidence_.content), why);
        return decision;
    }

    const SeedRequest& request_;
    const SeedEvidence& evidence_;
    std::span<const RepositoryEvidence> repositories_;
};

}  // namespace

std::string_view to_string(RepositoryState state) {
    switch (state) {
        case RepositoryState::kUnreachable: return "unreachable";
        case RepositoryState::kEmpty: return "empty";
        case RepositoryState::kWithoutBackup: return "without backup";
        case RepositoryState::kWithBackups: return "with backups";
    }
    return {};
}

std::string_view to_string(SeedAction action) {
    switch (action) {
        case SeedAction::kPresent: return "present";
        case SeedAction::kRestore: return "restore";
        case SeedAction::kInitialize: return "initialize";
        case SeedAction::kRefuse: return "refuse";
    }
    return {};
}

bool needs_repositories(const SeedEvidence& evidence, const SeedRequest& request) {
    if (!evidence.unmounted.empty() || is_upgrade_in_the_way(evidence)) return false;
    if (evidence.content == SeedContent::kDamaged || evidence.content == SeedContent::kForeign) return false;
    return evidence.content == SeedContent::kCluster || request.restore || request.initialize;
}

SeedDecision decide_seed(const SeedRequest& request, const SeedEvidence& evidence, std::span<const RepositoryEvidence> repositories) {
    return Planner(request, evidence, repositories).decide();
}

}  // namespace steward
