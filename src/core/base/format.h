// Text from values. The one way to make a message: fmt's formatting is compiled once, in format.cpp, and not again in every
// file that says something (it was 31% of the time to compile three typical ones).
#pragma once

#include <fmt/core.h>

#include <string>

namespace steward {

/// Render `values` into `text`, in the syntax of fmt. Process context: any; allocates.
std::string format_values(fmt::string_view text, fmt::format_args values);

/// Render values into a text that the compiler has checked: formatted("{} of {}", 1, 2). Process context: any; allocates.
template <typename... Values>
std::string formatted(fmt::format_string<Values...> text, Values&&... values) {
    return format_values(text, fmt::make_format_args(values...));
}

}  // namespace steward
