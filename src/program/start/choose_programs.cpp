#include "program/start/choose_programs.h"

#include <system_error>
#include <vector>

#include "core/base/format.h"
#include "program/server_version.h"

namespace steward {

namespace fs = std::filesystem;

Result<ServerPrograms> choose_programs(const fs::path& bindir, std::optional<int> major) {
    if (!bindir.empty()) {
        TRY_ASSIGN(const int found, server_major_of(bindir));
        return ServerPrograms{bindir, found};
    }
    std::vector<fs::path> places;
    std::error_code problem;
    if (const fs::path self = fs::read_symlink("/proc/self/exe", problem); !problem) places.push_back(self.parent_path());
    if (major) {
        places.emplace_back(formatted("/usr/lib/postgresql/{}/bin", *major));
        places.emplace_back(formatted("/usr/pgsql-{}/bin", *major));
    }
    for (const fs::path& place : places) {
        if (!fs::exists(place / "postgres", problem)) continue;
        const Result<int> found = server_major_of(place);
        if (found.ok() && *found == major.value_or(*found)) return ServerPrograms{place, *found};
    }
    return Error(ErrorCode::not_found, major ? formatted("there are no programs of PostgreSQL {}", *major) : "there are no programs of PostgreSQL beside this one")
        .hint("Name the directory of the server's programs with --bindir.");
}

}  // namespace steward
