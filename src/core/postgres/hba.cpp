#include "core/postgres/hba.h"

#include <algorithm>
#include <array>

namespace steward {

bool may_ask_for_passwords(std::string_view hba) {
    constexpr std::array<std::string_view, 6> kWords = {"scram-sha-256", "md5", "password", "include", "include_if_exists", "include_dir"};
    constexpr std::string_view kBlanks = " \t\r,\"";
    while (!hba.empty()) {
        std::string_view line = hba.substr(0, hba.find('\n'));
        hba.remove_prefix(std::min(hba.size(), line.size() + 1));
        line = line.substr(0, line.find('#'));
        for (size_t begin = line.find_first_not_of(kBlanks); begin != line.npos; begin = line.find_first_not_of(kBlanks)) {
            line.remove_prefix(begin);
            const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
            if (std::ranges::find(kWords, word) != kWords.end()) return true;
            line.remove_prefix(word.size());
        }
    }
    return false;
}

}  // namespace steward
