#include "core/preseed/seed_status.h"

#include "core/base/json.h"

namespace steward {

namespace {

constexpr int kMostAttempts = 1'000'000'000;

}  // namespace

std::string_view to_string(SeedState state) {
    switch (state) {
        case SeedState::kInspecting: return "inspecting";
        case SeedState::kRestoring: return "restoring";
        case SeedState::kInitializing: return "initializing";
        case SeedState::kVerifying: return "verifying";
        case SeedState::kRenaming: return "renaming";
        case SeedState::kDone: return "done";
        case SeedState::kRefused: return "refused";
        case SeedState::kFailed: return "failed";
    }
    return {};
}

std::string render_seed_status(const SeedStatus& status) {
    Json json = {{"state", to_string(status.state)},
                 {"data_directory", status.directory},
                 {"attempt", status.attempt},
                 {"pid", status.pid},
                 {"started_at", format_time(status.started)},
                 {"updated_at", format_time(status.updated)}};
    if (!status.decision.empty()) json["decision"] = status.decision;
    if (!status.reason.empty()) json["reason"] = status.reason;
    if (status.system_identifier) json["system_identifier"] = std::to_string(*status.system_identifier);
    if (!status.backup.empty()) json["backup"] = status.backup;
    if (status.exit_status) json["exit_status"] = *status.exit_status;
    if (status.error)
        json["error"] = {{"code", info(status.error->code()).name},
                         {"message", status.error->message()},
                         {"detail", status.error->detail()},
                         {"hint", status.error->hint()},
                         {"retryable", status.error->retryable()}};
    // A path may be of any bytes.
    return render_json(json, JsonStyle::kIndented) + "\n";
}

int next_attempt(std::string_view content) {
    const Json json = parse_json(content);
    if (!json.is_object() || json.value("state", Json()) == to_string(SeedState::kDone)) return 1;
    const auto attempt = json.find("attempt");
    if (attempt == json.end() || !attempt->is_number_integer()) return 1;
    const auto number = attempt->get<int64_t>();
    return number < 1 || number >= kMostAttempts ? 1 : static_cast<int>(number) + 1;
}

}  // namespace steward
