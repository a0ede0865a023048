// The label of a backup that nobody gave one.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace steward {

/// "20261121-192738Z": the time. A server whose `last` backup has it already, since an increment may take less than a second, appends
/// "-2", "-3" and so on. Pure.
std::string default_label(TimePoint now, std::string_view last);

}  // namespace steward
