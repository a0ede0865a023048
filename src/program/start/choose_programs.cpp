#include "program/start/choose_programs.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <vector>

#include "core/base/format.h"
#include "program/server_programs.h"
#include "program/server_version.h"
#include "program/upgrade/upgrade_check.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Where Debian's and the PGDG's packages put the programs of a major.
std::vector<fs::path> packaged_places(int major) { return {formatted("/usr/lib/postgresql/{}/bin", major), formatted("/usr/pgsql-{}/bin", major)}; }

bool are_of(const fs::path& bindir, int major) {
    std::error_code problem;
    if (!fs::exists(bindir / "postgres", problem)) return false;
    const Result<int> found = server_major_of(bindir);
    return found.ok() && *found == major;
}

}  // namespace

Result<ServerPrograms> choose_programs(const fs::path& bindir, std::optional<int> major) {
    if (!bindir.empty()) {
        TRY_ASSIGN(const int found, server_major_of(bindir));
        return ServerPrograms{bindir, found};
    }
    std::vector<fs::path> places;
    std::error_code problem;
    if (const fs::path self = fs::read_symlink("/proc/self/exe", problem); !problem) places.push_back(self.parent_path());
    if (major) std::ranges::move(packaged_places(*major), std::back_inserter(places));
    for (const fs::path& place : places) {
        if (!fs::exists(place / "postgres", problem)) continue;
        const Result<int> found = server_major_of(place);
        if (found.ok() && *found == major.value_or(*found)) return ServerPrograms{place, *found};
    }
    return Error(ErrorCode::not_found, major ? formatted("there are no programs of PostgreSQL {}", *major) : "there are no programs of PostgreSQL beside this one")
        .hint("Name the directory of the server's programs with --bindir.");
}

Result<std::optional<fs::path>> choose_old_programs(const fs::path& asked, const fs::path& data_directory, int major, const ServerPrograms& newer) {
    if (!asked.empty()) {
        TRY_ASSIGN(const int found, server_major_of(asked));
        if (found == major) return std::optional(asked);
        return Error(ErrorCode::wrong_version, formatted("the programs in \"{}\" are of PostgreSQL {}, and the cluster is of {}", asked.native(), found, major))
            .hint("Name the directory of the cluster's own programs with --old-bindir, or leave it out.")
            .object(asked.native());
    }
    std::vector<fs::path> places = {sibling_bindir(newer.bindir, {newer.major, major})};
    // Root runs nothing that a file of another user names.
    if (::geteuid() != 0)
        if (const Result<RunningServer> last = find_server_programs(std::nullopt, data_directory); last.ok()) places.push_back(last->program.parent_path());
    std::ranges::move(packaged_places(major), std::back_inserter(places));
    const auto found = std::ranges::find_if(places, [&](const fs::path& place) { return are_of(place, major); });
    return found == places.end() ? std::nullopt : std::optional(*found);
}

}  // namespace steward
