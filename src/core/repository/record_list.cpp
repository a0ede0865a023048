#include "core/repository/record_list.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

Result<void> RecordList::read(const Repository& repository, const std::string& prefix) {
    std::map<std::string, Json> found;
    std::vector<Error> damaged;
    TRY(for_each_object(repository.storage(), prefix, [&](const ObjectInfo& object) -> Result<void> {
        if (const auto known = records_.find(object.key); known != records_.end()) {
            found.insert(*known);
            return {};
        }
        Result<Bytes> content = repository.load(object.key, kind_);
        if (!content.ok()) {
            // Listed a moment ago: someone has removed it since.
            if (content.error().code() == ErrorCode::not_found) return {};
            if (content.error().retryable()) return std::move(content).error();
            damaged.push_back(std::move(content).error());
            return {};
        }
        Json record = parse_json(as_text(*content));
        if (record.is_object())
            found.emplace(object.key, std::move(record));
        else
            damaged.push_back(malformed_record(object.key, "a record"));
        return {};
    }));
    records_ = std::move(found);
    damaged_ = std::move(damaged);
    return {};
}

Result<StoreOutcome> store_record(const Repository& repository, const std::string& key, ObjectKind kind, const Json& record) {
    // Names and notes are whatever bytes the server's encoding had; JSON holds UTF-8.
    const Bytes content = to_bytes(render_json(record) + "\n");
    const BuiltObject object = build_object(kind, repository.identity().system_identifier, content, {Codec::kNone, 0});
    Result<StoreOutcome> stored = repository.store(key, object, kind);
    if (!stored.ok() && stored.error().code() == ErrorCode::content_conflict) return StoreOutcome::kAlreadyStored;
    return stored;
}

std::optional<std::string> text_member(const Json& record, const char* name) {
    const auto member = record.find(name);
    if (member == record.end() || !member->is_string()) return std::nullopt;
    return member->get<std::string>();
}

std::optional<uint32_t> timeline_member(const Json& record, const char* name) {
    const auto member = record.find(name);
    if (member == record.end() || !member->is_number_unsigned()) return std::nullopt;
    const auto number = member->get<uint64_t>();
    if (number == 0 || number > UINT32_MAX) return std::nullopt;
    return static_cast<uint32_t>(number);
}

std::optional<Lsn> lsn_member(const Json& record, const char* name) {
    const std::optional<std::string> text = text_member(record, name);
    if (!text) return std::nullopt;
    const Result<Lsn> lsn = parse_lsn(*text);
    return lsn.ok() ? std::optional(*lsn) : std::nullopt;
}

std::optional<TimePoint> time_member(const Json& record, const char* name) {
    const std::optional<std::string> text = text_member(record, name);
    if (!text) return std::nullopt;
    const Result<TimePoint> time = parse_time(*text);
    return time.ok() ? std::optional(*time) : std::nullopt;
}

Error malformed_record(const std::string& key, std::string_view what) {
    return Error(ErrorCode::corrupt_object, formatted("object \"{}\" does not describe {}", key, what)).object(key);
}

}  // namespace steward
