#include "core/archive/ready_files.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <tuple>

#include "core/base/format.h"
#include "core/postgres/wal_name.h"

namespace steward {

Result<std::vector<std::string>> list_ready_files(const std::filesystem::path& archive_status) {
    constexpr std::string_view kReady = ".ready";
    struct Close {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };
    const std::unique_ptr<DIR, Close> directory(::opendir(archive_status.c_str()));
    const auto failed = [&](const char* what) {
        return Error::from_errno(errno, formatted("could not {} directory \"{}\"", what, archive_status.native())).object(archive_status.native());
    };
    if (!directory) return failed("open");
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (entry == nullptr) break;
        std::string_view name = entry->d_name;
        if (!name.ends_with(kReady)) continue;
        name.remove_suffix(kReady.size());
        if (classify_wal_file(name)) names.emplace_back(name);
    }
    if (errno != 0) return failed("read");
    sort_for_archiving(names);
    return names;
}

void sort_for_archiving(std::vector<std::string>& names) {
    std::ranges::sort(names, {}, [](const std::string& name) {
        const bool history = classify_wal_file(name) == WalFileKind::kTimelineHistory;
        return std::tuple(history ? 0 : 1, std::string_view(name));
    });
}

}  // namespace steward
