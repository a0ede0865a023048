#include "core/backup/default_label.h"

#include <charconv>

#include "core/base/format.h"

namespace steward {

std::string default_label(TimePoint now, std::string_view last) {
    const std::string time = compact_time(now);
    if (!last.starts_with(time)) return time;
    unsigned number = 1;
    if (last.size() > time.size() + 1) std::from_chars(last.data() + time.size() + 1, last.data() + last.size(), number);
    return formatted("{}-{}", time, number + 1);
}

}  // namespace steward
