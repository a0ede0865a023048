#include "core/repository/verification_record.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

constexpr Compression kRecordCompression{Codec::kZstd, 3};

int64_t microseconds(TimePoint time) { return time.time_since_epoch().count(); }
TimePoint time_of(int64_t microseconds) { return TimePoint(std::chrono::microseconds(microseconds)); }

Error bad_line(size_t number) { return Error(ErrorCode::corrupt_object, formatted("verification record is not understood in line {}", number)); }

bool read_summary(const Json& json, VerificationRecord& record) {
    const auto number = [&](const char* name, uint64_t& into) {
        if (!json.contains(name) || !json[name].is_number_unsigned()) return false;
        into = json[name].get<uint64_t>();
        return true;
    };
    if (!json.is_object() || !json.contains("time") || !json["time"].is_string() || !json.contains("finished") || !json["finished"].is_boolean()) return false;
    const Result<TimePoint> time = parse_time(json["time"].get_ref<const std::string&>());
    if (!time.ok()) return false;
    record.time = *time;
    record.finished = json["finished"].get<bool>();
    // Records of before have none.
    if (json.contains("damaged")) {
        if (!json["damaged"].is_array()) return false;
        for (const Json& key : json["damaged"]) {
            if (!key.is_string()) return false;
            record.damaged.insert(key.get<std::string>());
        }
    }
    return number("objects", record.objects) && number("bytes", record.bytes) && number("problems", record.problems);
}

bool read_object_line(const Json& json, VerificationRecord& record) {
    if (!json.is_array() || json.size() != 5 || !json[0].is_string() || !json[1].is_number_unsigned() || !json[2].is_number_unsigned() ||
        !json[3].is_number_integer() || !json[4].is_number_integer())
        return false;
    const VerifiedObject object{json[1].get<uint64_t>(), json[2].get<uint64_t>(), time_of(json[3].get<int64_t>()), time_of(json[4].get<int64_t>())};
    return record.verified.emplace(json[0].get<std::string>(), object).second;
}

enum class Extent { kAll, kSummary };

Result<VerificationRecord> load_record(const Repository& repository, const std::string& key, Extent extent) {
    TRY_ASSIGN(const Bytes content, repository.load(key, ObjectKind::kVerification));
    std::string_view text = as_text(content);
    if (extent == Extent::kSummary) text = text.substr(0, text.find('\n') + 1);
    Result<VerificationRecord> record = parse_verification(text);
    if (!record.ok()) return std::move(record).error().object(key).context(formatted("while reading object \"{}\"", key));
    return record;
}

}  // namespace

std::string render_verification(const VerificationRecord& record) {
    const Json head = {{"time", format_time(record.time)}, {"finished", record.finished}, {"objects", record.objects},
                       {"bytes", record.bytes},            {"problems", record.problems}, {"damaged", record.damaged}};
    std::string text = render_json(head) + "\n";
    // Keys are valid UTF-8 without control characters (check_key): quoting is all that some of them may need.
    for (const auto& [key, object] : record.verified)
        text += formatted("[{},{},{},{},{}]\n", quote_json(key).value(), object.size, object.length, microseconds(object.modified), microseconds(object.verified));
    return text;
}

Result<VerificationRecord> parse_verification(std::string_view content) {
    VerificationRecord record;
    size_t number = 0;
    while (!content.empty()) {
        number++;
        const size_t end = content.find('\n');
        if (end == content.npos) return bad_line(number);
        const Json json = parse_json(content.substr(0, end));
        if (!(number == 1 ? read_summary(json, record) : read_object_line(json, record))) return bad_line(number);
        content.remove_prefix(end + 1);
    }
    if (number == 0) return bad_line(1);
    return record;
}

static Result<RememberedVerification> load_newest(const Repository& repository, Extent extent) {
    RememberedVerification remembered;
    TRY(for_each_object(repository.storage(), repository.layout().verifications_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        remembered.keys.push_back(object.key);
        return {};
    }));
    // Names begin with the time of writing. Each record holds all that the one before it held.
    for (auto key = remembered.keys.rbegin(); key != remembered.keys.rend(); ++key) {
        Result<VerificationRecord> record = load_record(repository, *key, extent);
        if (record.ok()) {
            remembered.record = std::move(record).value();
            break;
        }
        // Another host's run may have replaced it since it was listed.
        const ErrorCode code = record.error().code();
        if (code == ErrorCode::not_found || code == ErrorCode::permission_denied) continue;
        if (record.error().retryable()) return std::move(record).error();
        remembered.damaged.push_back(std::move(record).error());
    }
    return remembered;
}

Result<RememberedVerification> load_verification(const Repository& repository) { return load_newest(repository, Extent::kAll); }

Result<std::set<std::string>> load_damaged_packs(const Repository& repository) {
    TRY_ASSIGN(RememberedVerification remembered, load_newest(repository, Extent::kSummary));
    return std::move(remembered.record.damaged);
}

Result<void> store_verification(const Repository& repository, const VerificationRecord& record, uint64_t random, std::vector<std::string>& superseded) {
    const std::string key = repository.layout().verification(unique_name(record.time, random));
    const std::string content = render_verification(record);
    const BuiltObject object = build_object(ObjectKind::kVerification, repository.identity().system_identifier, as_bytes(content), kRecordCompression);
    TRY(repository.store(key, object, ObjectKind::kVerification));
    for (const std::string& old : superseded)
        if (old != key) TRY(repository.storage().remove(old));
    superseded.assign(1, key);
    return {};
}

}  // namespace steward
