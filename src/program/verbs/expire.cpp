// `pg_steward expire`: remove what the retention policy does not keep.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/expiry/remove_former.h"
#include "core/postgres/configuration.h"
#include "core/schedule/time_zone.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/open_repositories.h"
#include "program/report/render_expiry.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct ExpireCommand {
    explicit ExpireCommand(CLI::App& app) : settings(app, {"repository", "cluster", "retention", "timezone"}) {
        app.add_flag("--dry-run", dry_run, "Explain what would go and what would stay, and change nothing");
        CLI::Option* const former = add_system_option(app, system_identifier);
        app.add_flag("--all", all, "With --system-identifier: remove everything of that cluster, whatever the policy says")->needs(former);
        add_output_option(app, format);
    }

    SettingOptions settings;
    bool dry_run = false;
    bool all = false;
    std::optional<uint64_t> system_identifier;
    OutputFormat format = OutputFormat::kText;
};

Json render_json(const Repository& repository, const ExpiryReport& report, const ExpiryOptions& options) {
    return {{"repository", repository.url()},
            {"cluster", repository.cluster()},
            {"retention", to_string(options.policy)},
            {"dry_run", options.dry_run},
            {"removed_objects", report.removed_objects},
            {"removed_bytes", report.removed_bytes},
            {"rows", expiry_rows(repository.url(), report)}};
}

/// The zone that the server takes for an empty setting, where its configuration tells; empty when it does not.
std::string zone_of_the_server(const std::filesystem::path& data_directory) {
    if (data_directory.empty()) return {};
    const Result<ServerConfiguration> server = read_server_configuration(data_directory);
    if (!server.ok()) return {};
    const auto found = server->find("log_timezone");
    return found != server->end() && find_time_zone(found->second).ok() ? found->second : std::string();
}

/// Remove what is left of a cluster that had the name before.
Result<int> run_removal(const ExpireCommand& command, const Settings& settings) {
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    // The one that has the name now has to be able to do without.
    ReadingContext context{clock, timer, signals.cancel()};
    TRY_ASSIGN(const OpenedRepositories in_force, open_repositories_for_reading(settings, context));
    context.system_identifier = command.system_identifier;
    TRY_ASSIGN(const OpenedRepositories opened,
               command.dry_run ? open_repositories_for_reading(settings, context) : open_repositories_for_writing(settings, context));
    int status = 0;
    std::string text;
    Json json = Json::array();
    for (const Repository& repository : opened.repositories) {
        const auto same_place = std::ranges::find(in_force.repositories, repository.url(), &Repository::url);
        // Told of below.
        if (same_place == in_force.repositories.end()) continue;
        const Result<FormerRemoval> removal =
            remove_former_system(repository, *same_place, {.dry_run = command.dry_run, .clock = clock, .timer = timer, .cancel = signals.cancel()});
        if (!removal.ok()) {
            status = report_error(removal.error());
            if (signals.cancel().stop_requested()) break;
            continue;
        }
        text += formatted("repository {}, cluster {}, system identifier {}: {} {} objects, {}, among them {} backups\n", repository.url(), repository.cluster(),
                          *command.system_identifier, command.dry_run ? "would remove" : "removed", removal->objects, pretty_size(removal->bytes), removal->backups);
        json.push_back({{"repository", repository.url()},
                        {"cluster", repository.cluster()},
                        {"system_identifier", std::to_string(*command.system_identifier)},
                        {"dry_run", command.dry_run},
                        {"removed_objects", removal->objects},
                        {"removed_bytes", removal->bytes},
                        {"backups", removal->backups}});
    }
    TRY(print(command.format == OutputFormat::kJson ? render_json(json, JsonStyle::kIndented) + "\n" : text));
    for (const Error& error : in_force.unavailable) status = report_error(error);
    for (const Error& error : opened.unavailable) status = report_error(error);
    return status;
}

Result<int> run(const ExpireCommand& command) {
    TRY_ASSIGN(Settings settings, command.settings.resolve());
    if (command.all) return run_removal(command, settings);
    if (settings.timezone.empty()) settings.timezone = zone_of_the_server(command.settings.data_directory());
    if (settings.retention.empty())
        return Error(ErrorCode::configuration, "no retention policy is set")
            .hint("Name it with --retention, for example --retention=30d, or set \"steward.retention\" in the server's configuration.");
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    const ReadingContext context{.clock = clock, .timer = timer, .cancel = signals.cancel(), .system_identifier = command.system_identifier};
    TRY_ASSIGN(const OpenedRepositories opened,
               command.dry_run ? open_repositories_for_reading(settings, context) : open_repositories_for_writing(settings, context));
    TRY_ASSIGN(ExpiryOptions options, expiry_options(settings, clock, timer));
    options.dry_run = command.dry_run;
    options.cancel = signals.cancel();

    int status = 0;
    std::string text;
    Json json = Json::array();
    for (const Repository& repository : opened.repositories) {
        const Result<ExpiryReport> report = expire_repository(repository, options);
        if (!report.ok()) {
            status = report_error(report.error());
            if (signals.cancel().stop_requested()) break;
            continue;
        }
        text += render_expiry(repository, *report, options);
        json.push_back(render_json(repository, *report, options));
    }
    TRY(print(command.format == OutputFormat::kJson ? render_json(json, JsonStyle::kIndented) + "\n" : text));
    for (const Error& error : opened.unavailable) status = report_error(error);
    return status;
}

}  // namespace

void add_expire_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("expire", "Remove the backups and the WAL that the retention policy does not keep");
    const auto command = std::make_shared<ExpireCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
