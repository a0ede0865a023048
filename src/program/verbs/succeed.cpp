// `pg_steward succeed`: the operator says for which cluster another one goes on in the repository.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/format.h"
#include "core/repository/succession.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/single_user/offline_cluster.h"

namespace steward {

namespace {

struct SucceedCommand {
    explicit SucceedCommand(CLI::App& app) : settings(app, {}) {
        app.add_option("--predecessor", predecessor, "System identifier of the cluster that has the name now")->type_name("N")->required()->check(CLI::PositiveNumber);
        app.add_flag("-n,--dry-run", dry_run, "Show what would be done; change nothing");
    }

    SettingOptions settings;
    uint64_t predecessor = 0;
    bool dry_run = false;
};

/// Without an end: the operator knows, and nothing is to be proven of it.
Succession make_mark(const SucceedCommand& command, const OfflineCluster& cluster, const std::optional<Succession>& known) {
    const uint64_t own = cluster.control.system_identifier;
    Succession mark = succeed({command.predecessor}, {}, own, cluster.major, SystemClock().now());
    for (const Predecessor& earlier : predecessors_of(own, known))
        if (earlier.system_identifier != command.predecessor) mark.predecessors.push_back(earlier);
    return mark;
}

Result<int> run(const SucceedCommand& command) {
    TRY_ASSIGN(const std::filesystem::path directory, command.settings.require_data_directory());
    TRY_ASSIGN(const OfflineCluster cluster, look_at_cluster(directory));
    const uint64_t own = cluster.control.system_identifier;
    if (own == command.predecessor)
        return Error(ErrorCode::invalid_argument, formatted("{} is the system identifier of the cluster in \"{}\" itself", own, cluster.data_directory.native()))
            .hint("Name the one that the server's log says the repository holds.");
    TRY(become_owner(cluster));
    Result<std::optional<Succession>> known = read_succession(cluster.data_directory);
    const Succession mark = make_mark(command, cluster, known.ok() ? *known : std::nullopt);
    if (!command.dry_run) TRY(write_succession(cluster.data_directory, mark));
    TRY(print(formatted("Cluster {} of PostgreSQL {} in \"{}\" {} cluster {} in every repository where that has its name: within seconds if its server runs, else when "
                        "it is started. A server of cluster {} archives nothing there from then on.\n",
                        own, cluster.major, cluster.data_directory.native(), command.dry_run ? "would take the place of" : "takes the place of", command.predecessor,
                        command.predecessor)));
    return 0;
}

}  // namespace

void add_succeed_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("succeed", "Let a cluster take another one's place in the repository, as after pg_upgrade by hand");
    const auto command = std::make_shared<SucceedCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
