// pg_steward: what must work when the server is down, and the engines that the server starts.

#include <CLI/CLI.hpp>

#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include "program/commands.h"
#include "program/console.h"

namespace {

constexpr const char* kFooter =
    "To get a destroyed cluster back, as the operating system's user of the server:\n"
    "  pg_steward info --repository URL                              see what there is\n"
    "  pg_steward restore --repository URL -D DIR --dry-run          see what would happen\n"
    "  pg_steward restore --repository URL -D DIR                    restore all there is\n"
    "  pg_steward restore ... --target-time '2026-11-20 11:00+00'    stop before a mistake\n"
    "and then start the server on DIR.\n\n"
    "Exit status is 0 for success, 2 for a wrong command line, and one number for each kind of error.";

/// The parser's own complaint, in the words of all other errors.
int report_usage(const CLI::App& program, const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return program.exit(problem);
    std::string message = problem.what();
    // Messages that begin with the name of an argument keep it as it is.
    if (message.size() > 1 && std::islower(static_cast<unsigned char>(message[1])))
        message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
    return steward::report_error(
        steward::Error(steward::ErrorCode::usage, std::move(message)).hint("Try \"pg_steward --help\" or \"pg_steward COMMAND --help\" for more information."));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App program("pg_steward restores PostgreSQL database clusters from their repositories, and looks into these.", "pg_steward");
    program.set_version_flag("-V,--version", "pg_steward " STEWARD_VERSION);
    program.require_subcommand(1);
    program.get_formatter()->column_width(36);

    steward::ChosenCommand chosen;
    steward::add_info_command(program, chosen);
    steward::add_restore_command(program, chosen);
    steward::add_verify_command(program, chosen);
    steward::add_expire_command(program, chosen);
    steward::add_keep_command(program, chosen);
    steward::add_drill_command(program, chosen);
    steward::add_doctor_command(program, chosen);
    steward::add_upgrade_command(program, chosen);
    steward::add_permissions_command(program, chosen);
    steward::add_preseed_command(program, chosen);
    steward::add_reset_password_command(program, chosen);
    steward::add_start_command(program, chosen);
    steward::add_succeed_command(program, chosen);
    steward::add_wal_get_command(program, chosen);
    steward::add_engine_command(program, chosen);
    steward::add_reference_command(program, chosen);
    program.footer(kFooter);  // after the commands, which would inherit it
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        const int status = report_usage(program, problem);
        // The server takes most statuses of a restore_command for "there is no more WAL".
        const bool for_recovery = argc > 1 && std::string_view(argv[1]) == "wal-get";
        return status != 0 && for_recovery ? steward::kWalGetFailed : status;
    }

    const steward::Result<int> status = chosen.run();
    return status.ok() ? *status : steward::report_error(status.error());
}
