// `pg_steward reference PAGE`: the reference pages in docs/reference, made of the tables that the code itself uses.

#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/settings/settings.h"
#include "program/commands.h"
#include "program/console.h"

namespace steward {

namespace {

/// A character that would end a cell of a Markdown table.
std::string in_cell(std::string_view text) {
    std::string cell;
    for (const char c : text) {
        if (c == '|') cell += '\\';
        cell += c;
    }
    return cell;
}

std::string errors_page() {
    std::string page =
        "# Errors\n\nMade by `pg_steward reference errors`. The exit status is that of the program; `wal-get` exits with 1 for a file that is proven "
        "not to be\nin any repository, and with 255 for every error, since PostgreSQL takes statuses up to 125 for the end of the WAL.\n\n"
        "| code | exit status | SQLSTATE | a retry may help | meaning |\n|---|---:|---|---|---|\n";
    for (const ErrorCodeInfo& row : all_error_codes())
        page += formatted("| {} | {} | {} | {} | {} |\n", row.name, row.exit_status, row.sqlstate, row.retryable ? "yes" : "no", in_cell(row.description));
    return page;
}

std::string settings_page() {
    std::string page =
        "# Settings\n\nMade by `pg_steward reference settings`. In `postgresql.conf` each is `steward.NAME`; the program takes it as flag (`--cluster`),\n"
        "environment variable (`PG_STEWARD_CLUSTER`), from its configuration file, or from the data directory's configuration, in this order.\n\n"
        "| name | default | range | takes effect at | meaning |\n|---|---|---|---|---|\n";
    for (const SettingInfo& row : all_settings()) {
        const std::string range = row.kind == SettingKind::kInteger ? formatted("{} to {}", row.minimum, row.maximum) : std::string();
        page += formatted("| {} | `{}` | {} | {} | {} |\n", row.name, row.default_text.empty() ? "''" : row.default_text, range,
                          row.reload == SettingReload::kReload ? "reload" : "restart", in_cell(row.description));
    }
    return page;
}

}  // namespace

void add_reference_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("reference", "Print a reference page as Markdown");
    app.group("");
    const auto page = std::make_shared<std::string>();
    app.add_option("PAGE", *page, "errors or settings")->required()->check(CLI::IsMember({"errors", "settings"}));
    on_chosen(app, chosen, [page]() -> Result<int> {
        TRY(print(*page == "errors" ? errors_page() : settings_page()));
        return 0;
    });
}

}  // namespace steward
