// `pg_steward expire`: remove what the retention policy does not keep.

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/format.h"
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
        add_output_option(app, format);
    }

    SettingOptions settings;
    bool dry_run = false;
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

Result<int> run(const ExpireCommand& command) {
    TRY_ASSIGN(Settings settings, command.settings.resolve());
    if (settings.timezone.empty()) settings.timezone = zone_of_the_server(command.settings.data_directory());
    if (settings.retention.empty())
        return Error(ErrorCode::configuration, "no retention policy is set")
            .hint("Name it with --retention, for example --retention=30d, or set \"steward.retention\" in the server's configuration.");
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    const ReadingContext context{clock, timer, signals.cancel()};
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
    TRY(print(command.format == OutputFormat::kJson ? json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : text));
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
