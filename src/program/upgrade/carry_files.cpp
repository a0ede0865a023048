#include "program/upgrade/carry_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/configuration.h"
#include "core/upgrade/carry_configuration.h"
#include "program/captured_program.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/copy_tree.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostBytes = 64 << 20;
/// Each attempt comments out all that the server names; what depends on another setting is named by the next one.
constexpr int kAttempts = 8;

/// Settings that name a file or directory, with their defaults.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kNamedFiles = {{
    {"hba_file", "pg_hba.conf"},
    {"ident_file", "pg_ident.conf"},
    {"hosts_file", "pg_hosts.conf"},
    {"ssl_cert_file", "server.crt"},
    {"ssl_key_file", "server.key"},
    {"ssl_ca_file", "root.crt"},
    {"ssl_crl_file", "root.crl"},
    {"ssl_crl_dir", ""},
    {"ssl_dh_params_file", ""},
    {"krb_server_keyfile", ""},
}};

/// What a server makes itself in a data directory, or logs into it.
constexpr std::array<std::string_view, 12> kServersOwn = {"PG_VERSION", "base",   "global",         "postmaster.opts", "postmaster.pid", "current_logfiles",
                                                          "log",        "logfile", "backup_manifest", "backup_label.old", "tablespace_map.old", "lost+found"};

/// Lines that are no settings, or are about the old server's files.
constexpr std::array<std::string_view, 8> kNoValues = {"include", "include_dir", "include_if_exists", "config_file", "data_directory", "hba_file", "ident_file", "external_pid_file"};

bool is_below(const fs::path& path, const fs::path& directory) { return path.native().starts_with(directory.native() + "/"); }

class Carrying {
public:
    Carrying(const UpgradeContext& context, const UpgradeFacts& facts, int hop)
        : context_(context), facts_(facts), hop_{context.major_of(hop - 1), context.major_of(hop)}, from_(context.cluster_of(hop - 1)), to_(context.cluster_of(hop)), program_(context.bindir_of(hop) / "postgres"),
          config_file_(context.config_of(hop - 1)), major_(hop_.to) {}

    Result<void> run() {
        TRY(carry_settings());
        TRY(carry_named_files());
        // It would lead the new server to the directory it is made beside.
        TRY(comment_out_everywhere({{"data_directory", "the data directory is where this file is"}}));
        TRY(please_the_server());
        TRY(make_room_for_replication());
        note_what_stays();
        return report();
    }

private:
    Result<void> carry_settings() {
        if (is_below(config_file_, from_)) {
            TRY(carry_configuration_file(config_file_.lexically_relative(from_)));
        } else {
            const Result<ServerConfiguration> settings = read_configuration_file(config_file_);
            if (settings.ok()) settings_ = *settings;
            changes_.push_back(formatted("\"{}\" is outside the data directory and was not touched: the new server has a postgresql.conf of initdb in the data directory",
                                         config_file_.native()));
        }
        return carry_configuration_file("postgresql.auto.conf");
    }

    /// Carry one file, `relative` to the data directory, and those below it that it includes.
    Result<void> carry_configuration_file(const fs::path& relative) {
        if (!carried_.insert(relative).second) return {};
        const fs::path file = from_ / relative;
        std::error_code problem;
        if (!fs::exists(file, problem)) return {};
        TRY_ASSIGN(const Bytes content, read_file(file, kMostBytes));
        TRY(write(relative, content, file));
        texts_.insert(relative);
        TRY_ASSIGN(const std::vector<ConfigurationEntry> entries, parse_configuration(as_text(content), file.native()));
        for (const ConfigurationEntry& entry : entries) {
            const fs::path named = (file.parent_path() / entry.value).lexically_normal();
            if (entry.name == "include" || entry.name == "include_if_exists") {
                if (is_below(named, from_)) TRY(carry_configuration_file(named.lexically_relative(from_)));
            } else if (entry.name == "include_dir") {
                TRY(carry_included_directory(named));
            } else {
                settings_[entry.name] = entry.value;
            }
        }
        return {};
    }

    Result<void> carry_included_directory(const fs::path& directory) {
        if (!is_below(directory, from_)) return {};
        TRY(create_directories_durably(to_ / directory.lexically_relative(from_)));
        std::vector<fs::path> files;
        std::error_code problem;
        for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem))
            if (entry->is_regular_file(problem)) files.push_back(entry->path());
        std::ranges::sort(files);
        for (const fs::path& file : files) TRY(carry_configuration_file(file.lexically_relative(from_)));
        return {};
    }

    Result<void> write(const fs::path& relative, ByteView content, const fs::path& like) {
        struct stat st;
        if (::stat(like.c_str(), &st) != 0) return Error::from_errno(errno, formatted("could not look at \"{}\"", like.native())).object(like.native());
        TRY(create_directories_durably((to_ / relative).parent_path()));
        TRY(write_file_durably(to_ / relative, content, st.st_mode & 07777));
        changes_.push_back(formatted("\"{}\" was carried over", relative.native()));
        return {};
    }

    Result<void> carry_named_files() {
        for (const auto& [setting, usual] : kNamedFiles) {
            const auto set = settings_.find(std::string(setting));
            const std::string value = set == settings_.end() ? std::string(usual) : set->second;
            if (value.empty()) continue;
            const fs::path file = (from_ / value).lexically_normal();
            // A path into the data directory, as it is written, leads to the new cluster once that is there.
            const fs::path original = is_below(file, context_.places.data_directory) ? from_ / file.lexically_relative(context_.places.data_directory) : file;
            std::error_code problem;
            if (!is_below(original, from_) || !fs::exists(original, problem)) continue;
            const fs::path relative = original.lexically_relative(from_);
            if (!carried_.insert(relative).second) continue;
            if (fs::is_directory(original, problem)) {
                TRY(remove_tree(to_ / relative));
                TRY(copy_tree(original, to_ / relative, context_.cancel));
                changes_.push_back(formatted("directory \"{}\" was carried over", relative.native()));
            } else {
                TRY_ASSIGN(const Bytes content, read_file(original, kMostBytes));
                TRY(write(relative, content, original));
            }
        }
        return {};
    }

    /// Returns whether anything was changed.
    Result<bool> comment_out_everywhere(const RefusedSettings& refused) {
        bool changed = false;
        for (const fs::path& relative : texts_) {
            TRY_ASSIGN(const Bytes content, read_file(to_ / relative, kMostBytes));
            const CommentedText commented = comment_out(as_text(content), refused);
            if (commented.changes.empty()) continue;
            TRY(write_file_durably(to_ / relative, as_bytes(commented.text)));
            for (const std::string& change : commented.changes) changes_.push_back(formatted("\"{}\", {}; commented out", relative.native(), change));
            changed = true;
        }
        return changed;
    }

    /// What the new server says about its setting `name` with the configuration in `directory` and `more` arguments. It does not start.
    Result<CapturedProgram> ask_for_setting(const std::string& name, const fs::path& directory, std::vector<std::string> more) const {
        std::vector<std::string> command = {program_.native(), "-C", name, "-D", directory.native(), "-c", "lc_messages=C", "-c", "log_line_prefix=", "-c",
                                            formatted("data_directory={}", directory.native())};
        std::ranges::move(more, std::back_inserter(command));
        return run_captured(std::move(command), context_.timer, context_.cancel);
    }

    /// Some values are refused in words that do not name the setting. Each is asked for by itself then, of a server that has no other.
    Result<RefusedSettings> find_refused_values() {
        const fs::path bare = context_.places.logs() / formatted("{}-values", major_);
        TRY(create_directories_durably(bare));
        TRY(write_file_durably(bare / "postgresql.conf", {}));
        RefusedSettings refused;
        for (const fs::path& relative : texts_) {
            TRY_ASSIGN(const Bytes content, read_file(to_ / relative, kMostBytes));
            TRY_ASSIGN(const std::vector<ConfigurationEntry> entries, parse_configuration(as_text(content), relative.native()));
            for (const ConfigurationEntry& entry : entries) {
                if (std::ranges::find(kNoValues, entry.name) != kNoValues.end()) continue;
                TRY_ASSIGN(const CapturedProgram server, ask_for_setting("port", bare, {"-c", formatted("{}={}", entry.name, entry.value)}));
                if (!server.succeeded()) refused.try_emplace(entry.name, fatal_message(server.errors));
            }
        }
        TRY(remove_tree(bare));
        return refused;
    }

    Result<void> please_the_server() {
        for (int attempt = 0; attempt < kAttempts; ++attempt) {
            TRY_ASSIGN(const CapturedProgram server, ask_for_setting("shared_buffers", to_, {}));
            if (server.succeeded()) return {};
            RefusedSettings refused = read_refused_settings(server.errors);
            if (refused.empty()) {
                TRY_ASSIGN(refused, find_refused_values());
            }
            TRY_ASSIGN(const bool changed, comment_out_everywhere(refused));
            if (changed) continue;
            return Error(ErrorCode::configuration, formatted("the server of PostgreSQL {} does not accept the configuration", major_))
                .detail(formatted("This is what it says: {}", server.failure()))
                .hint(formatted("Correct the file in \"{}\" or where it is included from, and run the upgrade again.", from_.native()))
                .object(to_.native());
        }
        return Error(ErrorCode::configuration, formatted("the server of PostgreSQL {} finds errors in the configuration again and again", major_)).object(to_.native());
    }

    /// Where the old server's configuration is outside the data directory, or a limit is new, the new server has the usual values, and pg_upgrade
    /// refuses it, or it does not start with what was carried over.
    Result<void> make_room_for_replication() {
        std::string lines;
        for (const WantedSetting& wanted : wanted_for_replication(facts_.replication, hop_)) {
            TRY_ASSIGN(const CapturedProgram server, ask_for_setting(wanted.name, to_, {}));
            const std::string shown = server.output.substr(0, server.output.find('\n'));
            // One that this minor does not know it does not want either.
            if (!server.succeeded() || wanted.is_met_by(shown)) continue;
            lines += wanted.line() + "\n";
            changes_.push_back(formatted("\"postgresql.conf\" has \"{}\" at its end: slots or subscriptions that are carried over need it, and it was \"{}\"", wanted.line(), shown));
        }
        if (lines.empty()) return {};
        const fs::path file = to_ / "postgresql.conf";
        TRY_ASSIGN(const Bytes content, read_file(file, kMostBytes));
        return write_file_durably(file, as_bytes(formatted("{}\n# pg_steward: room for the slots and subscriptions that an upgrade carried over\n{}", as_text(content), lines)));
    }

    void note_what_stays() {
        std::error_code problem;
        std::set<std::string> names;
        for (fs::directory_iterator entry(from_, problem), end; !problem && entry != end; entry.increment(problem)) {
            const std::string name = entry->path().filename();
            const bool is_carried = std::ranges::any_of(carried_, [&](const fs::path& path) { return *path.begin() == name; });
            const bool is_servers = name.starts_with("pg_") || std::ranges::find(kServersOwn, name) != kServersOwn.end();
            if (!is_carried && !is_servers) names.insert(name);
        }
        for (const std::string& name : names) changes_.push_back(formatted("\"{}\" is not the server's and stays with the old cluster", name));
    }

    Result<void> report() {
        std::string text = formatted("PostgreSQL {}\n", major_);
        for (const std::string& change : changes_) {
            text += change + "\n";
            context_.say("  " + change);
        }
        return write_file_durably(context_.places.logs() / formatted("{}-configuration.txt", major_), as_bytes(text));
    }

    const UpgradeContext& context_;
    const UpgradeFacts& facts_;
    const UpgradeHop hop_;
    const fs::path from_, to_, program_, config_file_;
    const int major_;
    std::set<fs::path> carried_;  ///< relative to the data directory
    std::set<fs::path> texts_;    ///< of these, the files with settings
    ServerConfiguration settings_;
    std::vector<std::string> changes_;
};

}  // namespace

Result<void> carry_configuration(const UpgradeContext& context, const UpgradeFacts& facts, int hop) { return Carrying(context, facts, hop).run(); }

}  // namespace steward
