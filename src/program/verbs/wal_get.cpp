// `pg_steward wal-get`: the restore_command. Its exit status decides whether recovery ends, so it has rules of its own.

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/restore/wal_get.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/open_repositories.h"
#include "program/verbs/prefetch_process.h"

namespace steward {

namespace {

constexpr int kNotInRepository = 1;
constexpr std::chrono::milliseconds kPatience{30'000};

struct WalGetVerb {
    explicit WalGetVerb(CLI::App& app) : settings(app, {"repository", "cluster"}) {
        app.add_option("NAME", name, "WAL file that is wanted: %f in restore_command")->required();
        app.add_option("PATH", path, "Where to put it: %p in restore_command")->required();
        app.add_option("--timeline", timeline, "The timeline that recovery follows (default: the newest). Of an unfinished segment of one that it "
                                               "came from, nothing is delivered that happened there after the fork")
            ->type_name("N");
        add_system_option(app, system_identifier);
        app.add_flag("--no-prefetch", no_prefetch, "Do not fetch the following segments in the background");
    }

    SettingOptions settings;
    std::string name;
    std::string path;
    std::optional<TimelineId> timeline;
    std::optional<uint64_t> system_identifier;
    bool no_prefetch = false;
};

Result<int> get(const WalGetVerb& command) {
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    const SystemClock clock;
    SteadyRetryTimer timer;
    const CancelSource never;
    TRY_ASSIGN(OpenedRepositories opened, open_repositories_for_reading(settings, {clock, timer, never.get_token(), kPatience, command.system_identifier}));
    const uint32_t segment_size = opened.repositories.front().identity().wal_segment_size;

    const std::filesystem::path destination = command.path;
    WalSpool spool(destination.has_parent_path() ? destination.parent_path() : ".", segment_size);
    WalGetOptions options{std::nullopt, command.timeline};
    if (!opened.unavailable.empty()) options.unavailable = std::move(opened.unavailable.front());
    TRY_ASSIGN(const WalGetOutcome outcome, get_wal(opened.repositories, command.name, destination, spool, options));
    if (outcome == WalGetOutcome::kNotFound) return kNotInRepository;
    if (outcome == WalGetOutcome::kDeliveredTail) return 0;
    const auto segment = parse_wal_segment_name(command.name, segment_size);
    if (segment.ok() && !command.no_prefetch) start_prefetcher(spool, *segment, settings, command.system_identifier);
    return 0;
}

Result<int> run(const WalGetVerb& command) {
    const Result<int> status = get(command);
    if (status.ok()) return status;
    report_error(status.error());
    return kWalGetFailed;
}

}  // namespace

void add_wal_get_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("wal-get", "Fetch one WAL file for a server in recovery (its restore_command)");
    app.footer("Exit status: 0 the file is there; 1 proven not to be in any repository; 255 anything else, which stops recovery.");
    const auto command = std::make_shared<WalGetVerb>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
