#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <set>
#include <utility>

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"
#include "core/upgrade/carry_configuration.h"
#include "core/upgrade/check_cluster.h"
#include "program/captured_program.h"
#include "program/single_user/single_user_session.h"
#include "program/upgrade/read_facts.h"

namespace steward {

namespace {

using Row = SingleUserRow;

class NewMajorReader {
public:
    NewMajorReader(const TrialCluster& trial, RetryTimer& timer, const CancelToken& cancel) : trial_(trial), timer_(timer), cancel_(cancel) {}

    /// Begin with a server of its own. Any that is there ends first.
    Result<void> open() {
        session_.reset();
        TRY_ASSIGN(SingleUserSession session, SingleUserSession::start(trial_.server(), timer_, cancel_));
        session_ = std::make_unique<SingleUserSession>(std::move(session));
        return {};
    }

    Result<void> close() { return session_->finish(cancel_); }

    Result<void> read_version(NewMajorFacts& facts) {
        const std::array<std::string_view, 1> version = {"current_setting('server_version_num')"};
        TRY_ASSIGN(const std::vector<Row> rows, session_->select(version, "", cancel_));
        const std::string text = rows.empty() ? "" : rows.front()[0].value_or("");
        std::from_chars(text.data(), text.data() + text.size(), facts.version_num);
        return {};
    }

    Result<void> ask_for_settings(const std::vector<SettingLine>& lines, NewMajorFacts& facts) {
        std::set<std::string> names;
        for (const SettingLine& line : lines)
            if (line.name.find('.') == line.name.npos) names.insert(line.name);
        for (const std::string& name : names) {
            const std::string known = formatted("current_setting({}, true) IS NOT NULL", quote_sql_literal(name));
            const std::array<std::string_view, 1> column = {known};
            TRY_ASSIGN(const std::vector<Row> rows, session_->select(column, "", cancel_));
            facts.settings[name] = !rows.empty() && rows.front()[0] == "true";
        }
        return {};
    }

    /// Ask for all values at once, and one by one only when one is refused. Those of extensions cannot be judged without their libraries, and
    /// those of roles and places only by a server that has them.
    Result<void> ask_for_values(const std::vector<SettingLine>& lines, NewMajorFacts& facts) {
        constexpr std::array<std::string_view, 7> kOfAnother = {"config_file", "data_directory", "external_pid_file", "hba_file", "ident_file", "role", "session_authorization"};
        std::set<std::pair<std::string, std::string>> values;
        for (const SettingLine& line : lines) {
            const auto known = facts.settings.find(line.name);
            if (known != facts.settings.end() && known->second && std::ranges::find(kOfAnother, line.name) == kOfAnother.end()) values.insert({line.name, line.value});
        }
        std::vector<std::string> together;
        for (const auto& [name, value] : values) together.insert(together.end(), {"-c", name + "=" + value});
        TRY_ASSIGN(const std::string problem, error_of_values(together));
        if (problem.empty()) return {};
        for (const auto& value : values) {
            TRY_ASSIGN(std::string refusal, error_of_values({"-c", value.first + "=" + value.second}));
            if (!refusal.empty()) facts.refused_values.emplace(value, std::move(refusal));
        }
        return {};
    }

    Result<void> ask_for_column_options(const std::vector<ColumnOption>& options, NewMajorFacts& facts) {
        if (options.empty()) return {};
        TRY(session_->execute("CREATE TABLE public.pg_steward_trial (a integer)", cancel_));
        for (const ColumnOption& option : options) {
            const Result<void> taken = session_->execute(
                formatted("ALTER TABLE public.pg_steward_trial ALTER a SET ({} = {})", quote_sql_identifier(option.name), quote_sql_literal(option.value)), cancel_);
            if (taken.ok()) continue;
            TRY(check_cancel(cancel_));
            facts.column_option_errors[option.name] = taken.error().message();
        }
        return {};
    }

    Result<void> try_libraries(const std::set<std::string>& libraries, NewMajorFacts& facts) {
        for (const std::string& name : libraries) {
            const Result<void> loaded = session_->execute(formatted("LOAD {}", quote_sql_literal(name)), cancel_);
            if (loaded.ok()) continue;
            TRY(check_cancel(cancel_));
            facts.load_errors[name] = loaded.error().message();
            // Where it was the server's end as well, the next one needs another.
            TRY(open());
        }
        return {};
    }

    Result<void> ask_for_extensions(const std::vector<InstalledExtension>& extensions, NewMajorFacts& facts) {
        for (const InstalledExtension& extension : extensions) {
            const std::string name = quote_sql_literal(extension.name);
            const std::string path = formatted("EXISTS (SELECT FROM pg_extension_update_paths({}) p WHERE p.source = {} AND p.target = e.default_version AND p.path IS NOT NULL)",
                                               name, quote_sql_literal(extension.version));
            const std::array<std::string_view, 2> columns = {"e.default_version", path};
            TRY_ASSIGN(const std::vector<Row> rows, session_->select(columns, formatted("FROM pg_available_extensions e WHERE e.name = {}", name), cancel_));
            if (!rows.empty()) facts.extensions[{extension.name, extension.version}] = {rows.front()[0].value_or(""), rows.front()[1] == "true"};
        }
        return {};
    }

private:
    /// What the server says that is given these arguments, and nothing when it takes them. It does not start.
    Result<std::string> error_of_values(const std::vector<std::string>& arguments) const {
        std::vector<std::string> command = {trial_.server().program.native(), "-D", trial_.data_directory().native(), "-C", "port"};
        command.insert(command.end(), arguments.begin(), arguments.end());
        TRY_ASSIGN(const CapturedProgram program, run_captured(std::move(command), timer_, cancel_));
        return program.succeeded() ? std::string() : fatal_message(program.errors);
    }

    const TrialCluster& trial_;
    RetryTimer& timer_;
    const CancelToken& cancel_;
    std::unique_ptr<SingleUserSession> session_;
};

}  // namespace

Result<NewMajorFacts> read_new_major(const OldClusterFacts& old, const TrialCluster& trial, RetryTimer& timer, const CancelToken& cancel) {
    NewMajorFacts facts;
    std::set<std::string> libraries = preloaded_libraries(old);
    for (const UsedLibrary& library : old.libraries) libraries.insert(library.name);
    NewMajorReader reader(trial, timer, cancel);
    TRY(reader.open());
    TRY(reader.read_version(facts));
    TRY(reader.ask_for_settings(old.settings, facts));
    TRY(reader.ask_for_values(old.settings, facts));
    TRY(reader.ask_for_column_options(old.column_options, facts));
    TRY(reader.try_libraries(libraries, facts));
    TRY(reader.ask_for_extensions(old.extensions, facts));
    TRY(reader.close());
    return facts;
}

}  // namespace steward
