#include "core/postgres/relation_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::string_view kTemporaryPrefix = "pgsql_tmp";  // PG_TEMP_FILE_PREFIX, src/include/storage/fd.h
constexpr std::string_view kRelationCachePrefix = "pg_internal.init";  // RELCACHE_INIT_FILENAME, with temporary siblings

constexpr std::array<std::string_view, 8> kEmptiedDirectories = {
    "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_steward", "pg_subtrans",
};

constexpr std::array<std::string_view, 10> kSkippedFiles = {
    ".DS_Store",       "backup_label",   "backup_label.old",         "backup_manifest",
    "current_logfiles", "current_logfiles.tmp", "postgresql.auto.conf.tmp", "postmaster.opts",
    "postmaster.pid",  "tablespace_map",
};

/// The parts of `path` between slashes.
std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> parts;
    for (size_t begin = 0; begin <= path.size();) {
        const size_t end = std::min(path.find('/', begin), path.size());
        parts.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

/// Cut a number without leading zeros off `text`; 0 means there was none.
uint32_t take_number(std::string_view& text) {
    uint32_t value = 0;
    if (text.empty() || text.front() < '1' || text.front() > '9') return 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return 0;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return value;
}

Oid parse_oid(std::string_view text) {
    const uint32_t value = take_number(text);
    return text.empty() ? value : 0;
}

/// The part of RelationFile that the file's own name tells.
std::optional<RelationFile> parse_relation_name(std::string_view name) {
    RelationFile file;
    if (name.starts_with('t')) {
        // "t3_16385": the number of the backend that made it comes first, and may be 0.
        const size_t end = name.find_first_not_of("0123456789", 1);
        if (end == 1 || end == std::string_view::npos || name[end] != '_') return std::nullopt;
        name.remove_prefix(end + 1);
        file.temporary = true;
    }
    file.relation_number = take_number(name);
    if (file.relation_number == 0) return std::nullopt;
    if (name.starts_with('_')) {
        constexpr std::pair<std::string_view, RelationFork> kForks[] = {
            {"_fsm", RelationFork::kFreeSpaceMap}, {"_vm", RelationFork::kVisibilityMap}, {"_init", RelationFork::kInit}};
        const auto fork =
            std::find_if(std::begin(kForks), std::end(kForks), [&](const auto& f) { return name.starts_with(f.first); });
        if (fork == std::end(kForks)) return std::nullopt;
        file.fork = fork->second;
        name.remove_prefix(fork->first.size());
    }
    if (name.starts_with('.')) {
        name.remove_prefix(1);
        file.segment = take_number(name);
        if (file.segment == 0) return std::nullopt;
    }
    return name.empty() ? std::optional(file) : std::nullopt;
}

BackupExclusion exclusion_of_name(std::string_view name, bool is_directory) {
    if (name.starts_with(kTemporaryPrefix) || name.starts_with(kRelationCachePrefix)) return BackupExclusion::kSkip;
    if (std::find(kSkippedFiles.begin(), kSkippedFiles.end(), name) != kSkippedFiles.end()) return BackupExclusion::kSkip;
    if (is_directory && std::find(kEmptiedDirectories.begin(), kEmptiedDirectories.end(), name) != kEmptiedDirectories.end())
        return BackupExclusion::kEmptyDirectory;
    return BackupExclusion::kInclude;
}

/// pg_wal comes from the archive, but the server wants the directory; archive_status and, from 17 on, summaries too.
std::optional<BackupExclusion> exclusion_in_wal_directory(std::string_view path, bool is_directory) {
    if (path != "pg_wal" && !path.starts_with("pg_wal/")) return std::nullopt;
    const bool kept = path == "pg_wal" || path == "pg_wal/archive_status" || path == "pg_wal/summaries";
    return kept && is_directory ? BackupExclusion::kEmptyDirectory : BackupExclusion::kSkip;
}

}  // namespace

std::optional<RelationFile> parse_relation_path(std::string_view path) {
    const auto parts = split_path(path);
    auto file = parse_relation_name(parts.back());
    if (!file) return std::nullopt;
    if (parts.size() == 2 && parts[0] == "global" && !file->temporary) {
        file->tablespace = kGlobalTablespace;
        return file;
    }
    if (parts.size() == 3 && parts[0] == "base") {
        file->tablespace = kDefaultTablespace;
        file->database = parse_oid(parts[1]);
    } else if (parts.size() == 5 && parts[0] == "pg_tblspc" && parts[2].starts_with("PG_")) {
        file->tablespace = parse_oid(parts[1]);
        file->database = parse_oid(parts[3]);
    }
    return file->tablespace != 0 && file->database != 0 ? file : std::nullopt;
}

std::string tablespace_version_directory(int major, uint32_t catalog_version) {
    return formatted("PG_{}_{}", major, catalog_version);
}

BackupExclusion exclusion_of(std::string_view path, bool is_directory) {
    if (const auto exclusion = exclusion_in_wal_directory(path, is_directory)) return *exclusion;
    const auto parts = split_path(path);
    for (size_t i = 0; i + 1 < parts.size(); i++)
        if (exclusion_of_name(parts[i], true) != BackupExclusion::kInclude) return BackupExclusion::kSkip;
    if (const auto exclusion = exclusion_of_name(parts.back(), is_directory); exclusion != BackupExclusion::kInclude)
        return exclusion;
    const auto relation = is_directory ? std::nullopt : parse_relation_path(path);
    return relation && relation->temporary ? BackupExclusion::kSkip : BackupExclusion::kInclude;
}

std::vector<std::string> unlogged_files(const std::vector<std::string>& names) {
    std::set<uint32_t> unlogged;
    for (const auto& name : names)
        if (const auto file = parse_relation_name(name); file && file->fork == RelationFork::kInit && file->segment == 0)
            unlogged.insert(file->relation_number);
    std::vector<std::string> files;
    for (const auto& name : names)
        if (const auto file = parse_relation_name(name);
            file && !file->temporary && file->fork != RelationFork::kInit && unlogged.contains(file->relation_number))
            files.push_back(name);
    return files;
}

}  // namespace steward
