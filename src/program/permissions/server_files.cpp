#include "program/permissions/server_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/permissions/cluster_files.h"
#include "core/postgres/configuration.h"
#include "core/storage/storage_url.h"
#include "program/permissions/file_rights.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr int kDeepestInclude = 10;  // CONF_FILE_MAX_DEPTH
constexpr uint64_t kMostConfiguration = 1 << 24;

/// A setting that names one file or directory.
struct FileSetting {
    std::string_view name;
    AccessRule rule;
    std::string_view usual = {};      ///< when it is not set; relative to the data directory
    std::string_view switched_by = {};///< a setting without which it is not used
    bool may_be_missing = false;
    Severity severity = Severity::kError;
};

constexpr auto kFileSettings = std::to_array<FileSetting>({
    {.name = "hba_file", .rule = AccessRule::kReadable, .usual = "pg_hba.conf"},
    {.name = "ident_file", .rule = AccessRule::kReadable, .usual = "pg_ident.conf", .severity = Severity::kWarning},
    {.name = "ssl_cert_file", .rule = AccessRule::kReadable, .usual = "server.crt", .switched_by = "ssl"},
    {.name = "ssl_key_file", .rule = AccessRule::kPrivateKey, .usual = "server.key", .switched_by = "ssl"},
    {.name = "ssl_ca_file", .rule = AccessRule::kReadable, .switched_by = "ssl"},
    {.name = "ssl_crl_file", .rule = AccessRule::kReadable, .switched_by = "ssl"},
    {.name = "ssl_crl_dir", .rule = AccessRule::kReadableDirectory, .switched_by = "ssl"},
    {.name = "ssl_dh_params_file", .rule = AccessRule::kReadable, .switched_by = "ssl"},
    {.name = "krb_server_keyfile", .rule = AccessRule::kReadable, .may_be_missing = true, .severity = Severity::kWarning},
    {.name = "log_directory", .rule = AccessRule::kWritableDirectory, .switched_by = "logging_collector", .may_be_missing = true},
});

bool is_on(const ServerConfiguration& settings, std::string_view name) {
    const auto found = settings.find(std::string(name));
    if (found == settings.end()) return false;
    std::string value = found->second;
    std::ranges::transform(value, value.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    // parse_bool takes beginnings of the words.
    return value == "on" || value == "1" || (!value.empty() && (std::string_view("true").starts_with(value) || std::string_view("yes").starts_with(value)));
}

/// Others are not opened: nobody may come to write into a pipe.
bool is_plain_file(const fs::path& file) {
    std::error_code problem;
    return fs::is_regular_file(file, problem);
}

class Finder {
public:
    Finder(const fs::path& data_directory, ServerFiles& files) : data_directory_(data_directory), files_(files) {}

    void add_configuration_file(const fs::path& file, std::string setting, bool may_be_missing, int depth);
    /// postgresql.auto.conf: ALTER SYSTEM includes nothing, and the walk judges the file.
    void add_overriding_file(const fs::path& file);
    /// Add what the files that were read name.
    void add_settings();
    void add(AccessRule rule, std::string setting, const fs::path& path, bool may_be_missing, Severity severity);

private:
    void claim_name(const fs::path& within, bool own, FileType type);
    void claim_link(const fs::path& named, FileType type);
    std::vector<ConfigurationEntry> read_entries(const fs::path& file);
    void add_included(const fs::path& from, const ConfigurationEntry& entry, int depth);
    void add_socket_directories(const std::string& value);
    void add_repositories(const std::string& value);

    const fs::path& data_directory_;
    ServerFiles& files_;
    ServerConfiguration settings_;  ///< the last one of a name
    std::set<std::string> seen_;
};

void Finder::add(AccessRule rule, std::string setting, const fs::path& path, bool may_be_missing, Severity severity) {
    AccessCase access{.rule = rule, .setting = std::move(setting), .may_be_missing = may_be_missing, .severity = severity};
    access.path = look_at_path(data_directory_ / path);
    const fs::path within = fs::path(access.path.file.path).lexically_relative(data_directory_);
    access.inside = !within.empty() && *within.begin() != "..";
    // The walk over the cluster judges the way, and a directory of logs, which is the cluster's own.
    if (access.inside) access.path.directories.clear();
    const bool own = access.inside && rule == AccessRule::kWritableDirectory;
    if (access.inside && within != ".") claim_name(within, own, access.path.file.type);
    claim_link((data_directory_ / path).lexically_normal(), access.path.file.type);
    if (!own) files_.cases.push_back(std::move(access));
}

/// Say whose business the name at the top of the data directory is. No setting takes PostgreSQL's own directories out of the walk.
void Finder::claim_name(const fs::path& within, bool own, FileType type) {
    const std::string top = within.begin()->native();
    const bool direct = std::next(within.begin()) == within.end() && type != FileType::kDirectory;
    if (own)
        files_.named.insert(top);
    else if (direct || !is_cluster_name(top))
        files_.judged_apart.insert(top);
}

/// A link in the data directory that a setting names is no foreign file there: what it leads to is judged.
void Finder::claim_link(const fs::path& named, FileType type) {
    if (named.parent_path() == data_directory_ && type == FileType::kFile) files_.judged_apart.insert(named.filename().native());
}

void Finder::add_included(const fs::path& from, const ConfigurationEntry& entry, int depth) {
    const fs::path path = from.parent_path() / entry.value;
    if (entry.name == "include" || entry.name == "include_if_exists") {
        add_configuration_file(path, formatted("{} in \"{}\"", entry.name, from.native()), entry.name == "include_if_exists", depth + 1);
        return;
    }
    const std::string setting = formatted("include_dir in \"{}\"", from.native());
    add(AccessRule::kReadableDirectory, setting, path, false, Severity::kError);
    std::vector<fs::path> included;
    std::error_code problem;
    for (fs::directory_iterator found(path, problem), end; !problem && found != end; found.increment(problem))
        if (found->path().extension() == ".conf" && !found->path().filename().native().starts_with('.')) included.push_back(found->path());
    std::ranges::sort(included);
    for (const fs::path& file : included) add_configuration_file(file, setting, false, depth + 1);
}

void Finder::add_configuration_file(const fs::path& file, std::string setting, bool may_be_missing, int depth) {
    if (depth > kDeepestInclude) return;
    add(AccessRule::kReadable, std::move(setting), file, may_be_missing, Severity::kError);
    // Files that include each other, or one of them often, are read once.
    if (!seen_.insert(file.lexically_normal().native()).second) return;
    for (const ConfigurationEntry& entry : read_entries(file)) {
        if (entry.name == "include" || entry.name == "include_if_exists" || entry.name == "include_dir")
            add_included(file, entry, depth);
        else
            settings_.insert_or_assign(entry.name, entry.value);
    }
}

/// What cannot be read has a finding, what is not understood is a problem.
std::vector<ConfigurationEntry> Finder::read_entries(const fs::path& file) {
    if (!is_plain_file(file)) return {};
    const Result<Bytes> content = read_file(file, kMostConfiguration);
    if (!content.ok()) return {};
    Result<std::vector<ConfigurationEntry>> entries = parse_configuration(as_text(*content), file.native());
    if (entries.ok()) return std::move(*entries);
    files_.problems.push_back(entries.error());
    return {};
}

void Finder::add_overriding_file(const fs::path& file) {
    for (const ConfigurationEntry& entry : read_entries(file)) settings_.insert_or_assign(entry.name, entry.value);
}

void Finder::add_socket_directories(const std::string& value) {
    for (size_t begin = 0; begin <= value.size();) {
        const size_t end = std::min(value.find(',', begin), value.size());
        std::string_view directory = std::string_view(value).substr(begin, end - begin);
        begin = end + 1;
        const size_t first = directory.find_first_not_of(" \t\"");
        if (first == std::string_view::npos) continue;
        directory = directory.substr(first, directory.find_last_not_of(" \t\"") - first + 1);
        if (!directory.starts_with('@')) add(AccessRule::kSocketDirectory, "unix_socket_directories", directory, false, Severity::kError);
    }
}

void Finder::add_repositories(const std::string& value) {
    if (value.empty()) return;
    const Result<std::vector<StorageUrl>> urls = parse_repository_list(value);
    if (!urls.ok()) {
        files_.problems.push_back(urls.error());
        return;
    }
    for (const StorageUrl& url : *urls)
        if (url.scheme == StorageScheme::kFile) add(AccessRule::kRepository, "steward.repository", url.path, false, Severity::kError);
}

void Finder::add_settings() {
    const auto value_of = [&](std::string_view name, std::string_view usual) {
        const auto found = settings_.find(std::string(name));
        return found == settings_.end() ? std::string(usual) : found->second;
    };
    for (const FileSetting& setting : kFileSettings) {
        if (!setting.switched_by.empty() && !is_on(settings_, setting.switched_by)) continue;
        std::string value = value_of(setting.name, setting.usual);
        if (value.starts_with("FILE:")) value.erase(0, 5);
        if (!value.empty()) add(setting.rule, std::string(setting.name), value, setting.may_be_missing, setting.severity);
    }
    if (const std::string file = value_of("external_pid_file", ""); !file.empty())
        add(AccessRule::kWritableDirectory, "external_pid_file", (data_directory_ / file).parent_path(), false, Severity::kWarning);
    add_socket_directories(value_of("unix_socket_directories", ""));
    add_repositories(value_of("steward.repository", ""));
}

}  // namespace

ServerFiles find_server_files(const fs::path& data_directory, const fs::path& config_file, const fs::path& home) {
    ServerFiles files;
    Finder finder(data_directory, files);
    finder.add_configuration_file(config_file, "config_file", false, 0);
    finder.add_overriding_file(data_directory / "postgresql.auto.conf");
    finder.add_settings();
    if (!home.empty()) finder.add(AccessRule::kSecret, "libpq's passfile", home / ".pgpass", true, Severity::kWarning);
    return files;
}

}  // namespace steward
