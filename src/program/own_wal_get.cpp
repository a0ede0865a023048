#include "program/own_wal_get.h"

#include <fmt/ranges.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "core/base/format.h"

namespace steward {

Result<WalGetCommand> own_wal_get(const Settings& settings) {
    std::error_code problem;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", problem);
    if (problem) return Error::from_errno(problem.value(), "could not find out the path of this program");
    std::vector<std::string> urls;
    for (const StorageUrl& url : settings.repositories) urls.push_back(url.to_string());
    return WalGetCommand{program.native(), formatted("{}", fmt::join(urls, ",")), settings.cluster};
}

}  // namespace steward
