// The steps of a start, for people and for programs.
#pragma once

#include <span>
#include <string>

#include "core/start/plan_start.h"

namespace steward {

/// One line a step.
std::string render_start(const StartPlan& plan, bool dry_run);

/// One JSON object and a newline.
std::string render_start_json(const StartPlan& plan, bool dry_run);

/// The server's command line: in text as a shell takes it, in JSON as an object with an array.
std::string render_server_command(std::span<const std::string> command);
std::string render_server_command_json(std::span<const std::string> command);

}  // namespace steward
