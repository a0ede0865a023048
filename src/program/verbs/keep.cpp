// `pg_steward keep LABEL`: a backup that stays whatever the retention policy says.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/format.h"
#include "core/expiry/keep.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/open_repositories.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct KeepCommand {
    explicit KeepCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
        app.add_option("LABEL", label, "The backup")->required();
        CLI::Option* const note_option = app.add_option("--note", note, "Why it is kept")->type_name("TEXT");
        app.add_flag("--release", release, "Leave it to the retention policy again")->excludes(note_option);
        add_system_option(app, system_identifier);
    }

    SettingOptions settings;
    std::string label;
    std::string note;
    bool release = false;
    std::optional<uint64_t> system_identifier;
};

Result<int> run(const KeepCommand& command) {
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY_ASSIGN(const OpenedRepositories opened, open_repositories_for_writing(settings, {.clock = clock, .timer = timer, .cancel = signals.cancel(), .system_identifier = command.system_identifier}));
    TRY_ASSIGN(const std::vector<std::string> urls, keep_backup(opened.repositories, command.release ? KeepAction::kRelease : KeepAction::kKeep,
                                                                command.label, command.note, {.clock = clock, .timer = timer, .cancel = signals.cancel()}));
    std::string text;
    for (const std::string& url : urls) text += formatted("repository {}: backup {} is {}\n", url, command.label, command.release ? "released" : "kept");
    TRY(print(text));
    // A repository that cannot be opened may have the backup too.
    int status = 0;
    for (const Error& error : opened.unavailable) status = report_error(error);
    return status;
}

}  // namespace

void add_keep_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("keep", "Keep a backup whatever the retention policy says, or release it");
    const auto command = std::make_shared<KeepCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
