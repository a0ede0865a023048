#include "core/repository/pins.h"

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

Result<void> pin_backup(const Repository& repository, std::string_view label, std::string_view note, const Clock& clock) {
    TRY(check_label(label));
    TRY_ASSIGN(const std::optional<ObjectInfo> manifest, repository.storage().stat(repository.layout().manifest(label)));
    if (!manifest)
        return Error(ErrorCode::not_found, formatted("there is no backup \"{}\" in repository \"{}\"", label, repository.url()))
            .object(std::string(label))
            .hint("\"pg_steward info\" and the view steward.backups list the backups.");
    const Json json = {{"label", label}, {"note", note}, {"time", format_time(clock.now())}};
    const std::string text = render_json(json) + "\n";
    const BuiltObject object = build_object(ObjectKind::kPin, repository.identity().system_identifier, as_bytes(text), {Codec::kNone, 0});
    TRY(repository.storage().put(repository.layout().pin(label), object.parts(), PutMode::kReplace));
    return {};
}

Result<void> unpin_backup(const Repository& repository, std::string_view label) {
    TRY(check_label(label));
    return repository.storage().remove(repository.layout().pin(label));
}

Result<std::vector<std::string>> list_pinned(const Repository& repository) {
    std::vector<std::string> labels;
    const std::string prefix = repository.layout().pins_prefix();
    TRY(for_each_object(repository.storage(), prefix, [&](const ObjectInfo& object) -> Result<void> {
        labels.push_back(object.key.substr(prefix.size()));
        return {};
    }));
    return labels;
}

Result<std::optional<Pin>> load_pin(const Repository& repository, std::string_view label) {
    TRY(check_label(label));
    const Result<Bytes> content = repository.load(repository.layout().pin(label), ObjectKind::kPin);
    if (!content.ok() && content.error().code() == ErrorCode::not_found) return std::optional<Pin>();
    if (!content.ok() && content.error().retryable()) return content.error();
    Pin pin{std::string(label), {}, {}};
    const Json json = content.ok() ? parse_json(as_text(*content)) : Json();
    if (!json.is_object()) return std::optional(pin);
    if (json.contains("note") && json["note"].is_string()) pin.note = json["note"].get<std::string>();
    if (json.contains("time") && json["time"].is_string())
        if (const auto time = parse_time(json["time"].get<std::string>()); time.ok()) pin.pinned = *time;
    return std::optional(pin);
}

}  // namespace steward
