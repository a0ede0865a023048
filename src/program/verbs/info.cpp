// `pg_steward info`: what the repositories hold.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/repository/pins.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/open_repositories.h"
#include "program/report/render_info.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct InfoCommand {
    explicit InfoCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) { add_output_option(app, format); }

    SettingOptions settings;
    OutputFormat format = OutputFormat::kText;
};

Result<ClusterInfo> read_system(const StorageUrl& url, const std::string& cluster, std::optional<uint64_t> system_identifier, const ReadingContext& context) {
    TRY_ASSIGN(std::unique_ptr<Storage> storage, open_storage_for_reading(url, context));
    TRY_ASSIGN(const Repository repository, Repository::open(std::move(storage), cluster, system_identifier));
    TRY_ASSIGN(RepositoryContent content, read_content(repository));
    TRY_ASSIGN(std::vector<std::string> kept, list_pinned(repository));
    return ClusterInfo{cluster, repository.identity(), std::move(content), std::move(kept)};
}

/// What belongs to who has the name, and to those that had it before, as long as something does.
Result<ClusterInfo> read_cluster(const StorageUrl& url, const std::string& cluster, const ReadingContext& context) {
    TRY_ASSIGN(ClusterInfo info, read_system(url, cluster, {}, context));
    TRY_ASSIGN(const std::unique_ptr<Storage> storage, open_storage_for_reading(url, context));
    TRY_ASSIGN(const std::vector<Identity> systems, list_former_systems(*storage, cluster));
    for (const Identity& identity : systems) {
        TRY_ASSIGN(ClusterInfo former, read_system(url, cluster, identity.system_identifier, context));
        const RepositoryContent& content = former.content;
        if (!content.backups.empty() || !content.wal.empty() || !content.damaged_backups.empty()) info.former.push_back(std::move(former));
    }
    return info;
}

/// One repository with all its clusters, or only with `cluster`.
Result<RepositoryInfo> read_repository(const StorageUrl& url, const std::string& cluster, const ReadingContext& context) {
    RepositoryInfo info{url.to_string(), {}};
    std::vector<std::string> clusters = {cluster};
    if (cluster.empty()) {
        TRY_ASSIGN(const std::unique_ptr<Storage> storage, open_storage_for_reading(url, context));
        TRY_ASSIGN(clusters, list_clusters(*storage));
    }
    for (const std::string& name : clusters) {
        TRY_ASSIGN(ClusterInfo found, read_cluster(url, name, context));
        info.clusters.push_back(std::move(found));
    }
    return info;
}

Result<int> run(const InfoCommand& command) {
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    if (settings.repositories.empty())
        return Error(ErrorCode::configuration, "no repository is configured")
            .hint("Name it with --repository URL, PG_STEWARD_REPOSITORY or a configuration file.");
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    std::vector<RepositoryInfo> repositories;
    int status = 0;
    for (const StorageUrl& url : settings.repositories) {
        Result<RepositoryInfo> info = read_repository(url, command.settings.has_flag("cluster") ? settings.cluster : std::string(),
                                                      {clock, timer, signals.cancel()});
        if (info.ok())
            repositories.push_back(std::move(info).value());
        else
            status = report_error(info.error());
    }
    TRY(print(command.format == OutputFormat::kJson ? render_info_json(repositories) : render_info(repositories)));
    return status;
}

}  // namespace

void add_info_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("info", "Show the backups and the WAL in the repository");
    const auto command = std::make_shared<InfoCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
