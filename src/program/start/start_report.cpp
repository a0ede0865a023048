#include "program/start/start_report.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

std::string quoted_for_shell(const std::string& word) {
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) || std::string_view("-_=./:,+@%").find(static_cast<char>(c)) != std::string_view::npos; };
    if (!word.empty() && std::ranges::all_of(word, is_plain)) return word;
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

}  // namespace

std::string render_start(const StartPlan& plan, bool dry_run) {
    std::string text;
    for (const StartStep& step : plan.steps) text += formatted("{}: {}: {}\n", to_string(step.kind), step.is_due ? "to do" : "nothing to do", step.reason);
    if (dry_run) text += "This is a dry run: nothing is changed.\n";
    return text;
}

std::string render_start_json(const StartPlan& plan, bool dry_run) {
    Json json;
    json["dry_run"] = dry_run;
    auto& steps = json["steps"] = Json::array();
    for (const StartStep& step : plan.steps) steps.push_back({{"step", to_string(step.kind)}, {"due", step.is_due}, {"reason", step.reason}});
    return render_json(json) + "\n";
}

std::string render_server_command(std::span<const std::string> command) {
    std::string text = "server:";
    for (const std::string& word : command) text += " " + quoted_for_shell(word);
    return text + "\n";
}

std::string render_server_command_json(std::span<const std::string> command) {
    Json json;
    json["server"] = std::vector<std::string>(command.begin(), command.end());
    return render_json(json) + "\n";
}

}  // namespace steward
