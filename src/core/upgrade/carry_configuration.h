// Configuration on its way to a new major: what its server refuses is commented out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

/// Settings that a server refuses, with its words.
using RefusedSettings = std::map<std::string, std::string>;

/// Read what "postgres -C" says in English about a configuration with errors. Empty when it complains about something else. Pure.
RefusedSettings read_refused_settings(std::string_view messages);

/// The first thing for which a server gave up at its start, as it says it in English; all that it says when it does not. Pure.
std::string fatal_message(std::string_view messages);

struct CommentedText {
    std::string text;
    std::vector<std::string> changes;  ///< "line 12, operator_precedence_warning: unrecognized configuration parameter ..."
};

/// Put "#" before every line that sets one of `refused`, and the reason above it; all else stays byte for byte. Pure.
CommentedText comment_out(std::string_view text, const RefusedSettings& refused);

/// The items of shared_preload_libraries' `value` without pg_steward, which is not to act on a cluster that is being made. Pure.
std::string preload_without_steward(std::string_view value);

/// An argument inside options that pg_ctl hands to a shell, which pg_upgrade hands to another one. Nothing when the text cannot be said there:
/// it holds a quote, a backslash, "$" or "`". Pure.
bool can_be_server_option(std::string_view text);

}  // namespace steward
