#include "core/backup/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <unordered_set>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/relation_file.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kControlFile = "global/pg_control";
constexpr std::string_view kTablespaces = "pg_tblspc";
constexpr std::string_view kWal = "pg_wal";

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Error could_not(std::string_view verb, std::string_view kind, const fs::path& path, int cause) {
    return Error::from_errno(cause, formatted("could not {} {} \"{}\"", verb, kind, path.native())).object(path.native());
}

TimePoint modification_time(const struct stat& st) {
    return TimePoint(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::seconds(st.st_mtim.tv_sec) +
                                                                            std::chrono::nanoseconds(st.st_mtim.tv_nsec)));
}

/// Whether a relation could live in `directory`: only there do file names tell of unlogged relations.
bool holds_relations(const std::string& directory) { return parse_relation_path(directory + "/1").has_value(); }

std::optional<uint32_t> parse_oid(const std::string& name) {
    uint32_t oid = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), oid);
    if (problem != std::errc() || end != name.data() + name.size() || oid == 0) return std::nullopt;
    return oid;
}

class Scanner {
public:
    Scanner(const fs::path& root, const std::string& version_directory, Log& log, const CancelToken& cancel)
        : root_(root), version_directory_(version_directory), log_(log), cancel_(cancel) {}

    Result<ScannedTree> scan() {
        // First, because a tablespace may lie, against all advice, inside the data directory.
        TRY(scan_tablespaces());
        TRY(scan_directory(""));
        if (tree_.control_file.path.empty())
            return Error(ErrorCode::not_found, formatted("\"{}\" has no control file", root_.native())).object(root_ / kControlFile);
        std::ranges::sort(tree_.directories, {}, &ManifestDirectory::path);
        std::ranges::sort(tree_.files, {}, &ScannedFile::path);
        return std::move(tree_);
    }

private:
    fs::path full(const std::string& path) const { return path.empty() ? root_ : root_ / path; }

    /// Names in `path`; nothing when it vanished.
    Result<std::optional<std::vector<std::string>>> list(const std::string& path) const {
        const fs::path where = full(path);
        const Directory directory(::opendir(where.c_str()));
        if (!directory) {
            if (errno == ENOENT) return std::optional<std::vector<std::string>>();
            return could_not("open", "directory", where, errno);
        }
        std::vector<std::string> names;
        for (;;) {
            errno = 0;
            const dirent* entry = ::readdir(directory.get());
            if (entry == nullptr) {
                if (errno != 0) return could_not("read", "directory", where, errno);
                return std::optional(std::move(names));
            }
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
    }

    Result<void> scan_directory(const std::string& path) {
        TRY(check_cancel(cancel_));
        TRY_ASSIGN(const std::optional<std::vector<std::string>> names, list(path));
        if (!names) return {};
        std::unordered_set<std::string> unlogged;
        if (holds_relations(path)) {
            std::vector<std::string> files = unlogged_files(*names);
            unlogged.insert(std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
        }
        for (const std::string& name : *names)
            if (!unlogged.contains(name)) TRY(take(path.empty() ? name : path + "/" + name));
        return {};
    }

    Result<void> take(const std::string& path) {
        const fs::path where = full(path);
        struct stat st;
        if (::lstat(where.c_str(), &st) != 0) {
            if (errno == ENOENT) return {};
            return could_not("stat", "file", where, errno);
        }
        const bool link = S_ISLNK(st.st_mode);
        // The server may have a disk of its own for WAL or statistics behind a link.
        struct stat target;
        const bool directory = S_ISDIR(st.st_mode) || (link && ::stat(where.c_str(), &target) == 0 && S_ISDIR(target.st_mode));
        switch (exclusion_of(path, directory)) {
            case BackupExclusion::kSkip: return {};
            case BackupExclusion::kEmptyDirectory:
                add_directory(path, link ? target : st);
                // Its subdirectories are wanted although its files are not.
                return path == kWal ? scan_directory(path) : Result<void>();
            case BackupExclusion::kInclude: break;
        }
        if (S_ISREG(st.st_mode)) {
            add_file(path, st);
        } else if (S_ISDIR(st.st_mode)) {
            add_directory(path, st);
            // What is in pg_tblspc was seen already.
            if (path != kTablespaces && !is_tablespace_location(where)) return scan_directory(path);
        } else {
            skip_special(where);
        }
        return {};
    }

    Result<void> scan_tablespaces() {
        TRY_ASSIGN(std::optional<std::vector<std::string>> names, list(std::string(kTablespaces)));
        if (!names) return {};
        std::ranges::sort(*names);
        for (const std::string& name : *names) TRY(scan_tablespace(name));
        return {};
    }

    Result<void> scan_tablespace(const std::string& name) {
        const std::string path = formatted("{}/{}", kTablespaces, name);
        const fs::path where = full(path);
        struct stat st;
        if (::lstat(where.c_str(), &st) != 0) {
            if (errno == ENOENT) return {};
            return could_not("stat", "file", where, errno);
        }
        const std::optional<uint32_t> oid = parse_oid(name);
        if (!oid || !(S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))) {
            if (exclusion_of(path, S_ISDIR(st.st_mode)) == BackupExclusion::kInclude) skip_special(where);
            return {};
        }
        // A directory in place of a link is a tablespace too (allow_in_place_tablespaces).
        std::string location;
        if (S_ISLNK(st.st_mode)) {
            TRY_ASSIGN(location, read_link(where));
            if (location.empty()) return {};
            // A link that leads nowhere is a lost disk, not a dropped tablespace: a backup without it would not restore.
            if (::stat(where.c_str(), &st) != 0) return could_not("stat", "tablespace directory", location, errno);
        }
        tree_.tablespaces.push_back({*oid, location});
        add_directory(path, st);
        const std::string version_path = path + "/" + version_directory_;
        struct stat version;
        if (::lstat(full(version_path).c_str(), &version) != 0) {
            if (errno == ENOENT) return {};
            return could_not("stat", "directory", full(version_path), errno);
        }
        add_directory(version_path, version);
        return scan_directory(version_path);
    }

    /// The link's target; empty when the link vanished.
    static Result<std::string> read_link(const fs::path& link) {
        std::string target(4096, '\0');
        const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
        if (length < 0 && errno == ENOENT) return std::string();
        if (length < 0) return could_not("read", "symbolic link", link, errno);
        target.resize(static_cast<size_t>(length));
        return target;
    }

    bool is_tablespace_location(const fs::path& path) const {
        return std::ranges::any_of(tree_.tablespaces, [&](const ManifestTablespace& tablespace) { return tablespace.location == path.native(); });
    }

    void add_directory(const std::string& path, const struct stat& st) { tree_.directories.push_back({path, st.st_mode & 07777}); }

    void add_file(const std::string& path, const struct stat& st) {
        ScannedFile file{path, static_cast<uint64_t>(st.st_size), st.st_mode & 07777, modification_time(st)};
        if (path == kControlFile)
            tree_.control_file = std::move(file);
        else
            tree_.files.push_back(std::move(file));
    }

    void skip_special(const fs::path& path) {
        log_.write({LogLevel::kWarning, "special_file_skipped", formatted("file \"{}\" is neither a file nor a directory and is not backed up", path.native()),
                    {{"path", path.native()}}, {}, {}, {}});
    }

    const fs::path& root_;
    const std::string& version_directory_;
    Log& log_;
    const CancelToken& cancel_;
    ScannedTree tree_;
};

}  // namespace

uint64_t ScannedTree::bytes() const {
    uint64_t sum = control_file.size;
    for (const ScannedFile& file : files) sum += file.size;
    return sum;
}

Result<ScannedTree> scan_data_directory(const fs::path& data_directory, const std::string& version_directory, Log& log, const CancelToken& cancel) {
    return Scanner(data_directory, version_directory, log, cancel).scan().context(
        [&] { return formatted("while scanning data directory \"{}\"", data_directory.native()); });
}

}  // namespace steward
