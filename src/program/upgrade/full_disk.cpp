#include "program/upgrade/full_disk.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/format.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr off_t kLogReserve = 1 << 16;
/// A server that has no room for a WAL segment of the usual size comes to no good.
constexpr uintmax_t kFull = uintmax_t{16} << 20;
/// strerror of ENOSPC and EDQUOT, and what a server says when it could write a part of a page (md.c).
constexpr std::array<std::string_view, 3> kCauses = {"No space left on device", "Disk quota exceeded", "Check free disk space."};

/// The first of `places` on a file system without room, in words: " on the file system of "/srv/main.upgrade", which has 12 kB left".
std::optional<std::string> find_full(const std::vector<fs::path>& places) {
    for (const fs::path& place : places) {
        std::error_code problem;
        const fs::space_info space = fs::space(place, problem);
        if (!problem && space.capacity != 0 && space.available < kFull)
            return formatted(" on the file system of \"{}\", which has {} left", place.native(), pretty_size(space.available));
    }
    return std::nullopt;
}

}  // namespace

bool names_full_disk(std::string_view output) {
    return std::ranges::any_of(kCauses, [&](std::string_view cause) { return output.find(cause) != output.npos; });
}

void reserve_log_space(int fd) {
    struct stat st;
    if (::fstat(fd, &st) == 0) static_cast<void>(::fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, kLogReserve) == 0);
}

Error blame_full_disk(Error error, const std::vector<fs::path>& places) {
    if (error.code() != ErrorCode::server_raised && error.code() != ErrorCode::engine_failed) return error;
    const std::optional<std::string> full = find_full(places);
    if (!full && !names_full_disk(error.message()) && !names_full_disk(error.detail())) return error;
    Error blamed = Error(ErrorCode::no_space, formatted("{}: the disk is full", error.message()))
                       .detail(error.detail())
                       .hint(formatted("Make room{}, and run the upgrade again. \"pg_steward upgrade rollback\" takes it back, and needs none.", full.value_or("")))
                       .object(error.object());
    for (const std::string& line : error.context()) blamed = std::move(blamed).context(line);
    return blamed;
}

}  // namespace steward
