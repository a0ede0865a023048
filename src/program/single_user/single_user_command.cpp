#include "program/single_user/single_user_command.h"

#include <string_view>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::pair<std::string_view, std::string_view> kOverrides[] = {
    // A library that is gone would be fatal, and one that is there could look at statements.
    {"shared_preload_libraries", ""},
    {"session_preload_libraries", ""},
    {"local_preload_libraries", ""},
    // Messages come to us alone, in English and without a prefix, and show no statement, which may hold what a password can be guessed with.
    {"log_destination", "stderr"},
    {"logging_collector", "off"},
    {"log_line_prefix", ""},
    {"lc_messages", "C"},
    {"log_min_messages", "warning"},
    {"log_min_error_statement", "panic"},
    {"log_error_verbosity", "default"},
    {"log_statement", "none"},
    {"log_duration", "off"},
    {"log_min_duration_statement", "-1"},
    {"log_min_duration_sample", "-1"},
    {"log_transaction_sample_rate", "0"},
    {"log_parser_stats", "off"},
    {"log_planner_stats", "off"},
    {"log_executor_stats", "off"},
    {"log_statement_stats", "off"},
    {"debug_print_parse", "off"},
    {"debug_print_rewritten", "off"},
    {"debug_print_plan", "off"},
    // Statements are carried out, and a commit is on disk when it returns and waits for nobody.
    {"default_transaction_read_only", "off"},
    {"synchronous_commit", "local"},
    {"synchronous_standby_names", ""},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"search_path", "pg_catalog"},
    // Compiling a question to the catalogs takes longer than answering it.
    {"jit", "off"},
    // Names come and go as the bytes they are.
    {"client_encoding", "SQL_ASCII"},
    {"standard_conforming_strings", "on"},
};

constexpr int kFirstWithArchiveLibrary = 15;
constexpr int kFirstWithTransactionTimeout = 17;

}  // namespace

std::vector<std::string> single_user_command(const SingleUserServer& server) {
    // -j: a statement ends with a semicolon and an empty line, so that others may have newlines.
    std::vector<std::string> command = {server.program.native(), "--single", "-j", "-D", server.data_directory.native()};
    const auto set = [&](std::string_view name, std::string_view value) {
        command.emplace_back("-c");
        command.push_back(formatted("{}={}", name, value));
    };
    set("config_file", server.config_file.native());
    // A configuration kept elsewhere may name another directory.
    set("data_directory", server.data_directory.native());
    for (const auto& [name, value] : kOverrides) set(name, value);
    if (server.major >= kFirstWithArchiveLibrary) set("archive_library", "");
    if (server.major >= kFirstWithTransactionTimeout) set("transaction_timeout", "0");
    command.push_back(server.database);
    return command;
}

}  // namespace steward
