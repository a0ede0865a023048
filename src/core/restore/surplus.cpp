#include "core/restore/surplus.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "core/base/format.h"
#include "core/restore/target_directory.h"
#include "core/restore/unpack.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kArchiveStatus = "pg_wal/archive_status";

Error could_not(std::string_view verb, const fs::path& path, int cause) {
    return Error::from_errno(cause, formatted("could not {} \"{}\"", verb, path.native())).object(path.native());
}

class SurplusSearch {
public:
    SurplusSearch(const Manifest& manifest, const fs::path& data_directory, const std::map<uint32_t, fs::path>& tablespaces)
        : manifest_(manifest), data_directory_(data_directory), tablespaces_(tablespaces) {
        for (const ManifestFile& file : manifest.files) expected_[file.path] = Kind::kFile;
        for (const ManifestDirectory& directory : manifest.directories) expected_[directory.path] = Kind::kDirectory;
        for (const std::string_view path : {std::string_view("pg_wal"), kArchiveStatus}) expected_[std::string(path)] = Kind::kDirectory;
        for (const std::string_view path : {kRestoreMarker, kControlFile, kPendingControlFile}) expected_[std::string(path)] = Kind::kFile;
        for (const ManifestTablespace& tablespace : manifest.tablespaces)
            if (!tablespace.location.empty()) expected_[formatted("pg_tblspc/{}", tablespace.oid)] = Kind::kLink;
    }

    Result<SurplusContent> run() {
        TRY(walk(data_directory_, ""));
        for (const auto& [oid, location] : tablespaces_) TRY(walk_tablespace(formatted("pg_tblspc/{}/", oid), location));
        return std::move(surplus_);
    }

private:
    enum class Kind { kFile, kDirectory, kLink };

    /// Only the version's directory: all else in the location may be another cluster's.
    Result<void> walk_tablespace(const std::string& prefix, const fs::path& location) {
        for (const ManifestDirectory& directory : manifest_.directories) {
            if (!directory.path.starts_with(prefix) || directory.path.find('/', prefix.size()) != std::string::npos) continue;
            const fs::path version = location / directory.path.substr(prefix.size());
            std::error_code problem;
            if (fs::is_directory(version, problem)) TRY(walk(version, directory.path));
        }
        return {};
    }

    /// Look at the entries of `directory`, which is `path` in the manifest.
    Result<void> walk(const fs::path& directory, const std::string& path) {
        std::error_code problem;
        for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem)) {
            const std::string name = entry->path().filename().native();
            // A disk of its own has it.
            if (name == "lost+found") continue;
            TRY(look_at(entry->path(), path.empty() ? name : path + "/" + name));
        }
        if (problem) return could_not("read directory", directory, problem.value());
        return {};
    }

    Result<void> look_at(const fs::path& where, const std::string& path) {
        struct stat st;
        if (::lstat(where.c_str(), &st) != 0) return could_not("stat", where, errno);
        const auto expected = expected_.find(path);
        if (expected == expected_.end() || !is_of_kind(where, st, expected->second)) return add(where, path, st);
        return expected->second == Kind::kDirectory ? walk(where, path) : Result<void>();
    }

    static bool is_of_kind(const fs::path& where, const struct stat& st, Kind kind) {
        switch (kind) {
            case Kind::kFile: return S_ISREG(st.st_mode);
            case Kind::kLink: return S_ISLNK(st.st_mode);
            case Kind::kDirectory: break;
        }
        struct stat target;
        return S_ISDIR(st.st_mode) || (S_ISLNK(st.st_mode) && ::stat(where.c_str(), &target) == 0 && S_ISDIR(target.st_mode));
    }

    Result<void> add(const fs::path& where, const std::string& path, const struct stat& st) {
        surplus_.paths.push_back(where);
        if (path.starts_with(kArchiveStatus) && path.ends_with(".ready")) surplus_.unarchived_wal++;
        return count(where, st);
    }

    Result<void> count(const fs::path& where, const struct stat& st) {
        if (!S_ISDIR(st.st_mode)) {
            surplus_.files++;
            surplus_.bytes += S_ISREG(st.st_mode) ? static_cast<uint64_t>(st.st_size) : 0;
            return {};
        }
        surplus_.directories++;
        std::error_code problem;
        for (fs::directory_iterator entry(where, problem), end; !problem && entry != end; entry.increment(problem)) {
            struct stat inner;
            if (::lstat(entry->path().c_str(), &inner) != 0) return could_not("stat", entry->path(), errno);
            TRY(count(entry->path(), inner));
        }
        if (problem) return could_not("read directory", where, problem.value());
        return {};
    }

    const Manifest& manifest_;
    const fs::path& data_directory_;
    const std::map<uint32_t, fs::path>& tablespaces_;
    std::unordered_map<std::string, Kind> expected_;
    SurplusContent surplus_;
};

}  // namespace

Result<SurplusContent> find_surplus(const Manifest& manifest, const fs::path& data_directory, const std::map<uint32_t, fs::path>& tablespaces) {
    return SurplusSearch(manifest, data_directory, tablespaces).run();
}

Result<void> remove_surplus(const SurplusContent& surplus) {
    for (const fs::path& path : surplus.paths) {
        std::error_code problem;
        fs::remove_all(path, problem);
        if (problem) return could_not("remove", path, problem.value());
    }
    return {};
}

}  // namespace steward
