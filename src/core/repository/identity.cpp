#include "core/repository/identity.h"

#include <algorithm>
#include <charconv>

#include "core/base/format.h"
#include "core/base/json.h"
#include "core/postgres/wal_name.h"
#include "core/repository/layout.h"

namespace steward {

namespace {

/// Far above any identity.
constexpr uint64_t kMaxObjectSize = 1 << 20;
/// Beyond any major to come: a number that makes no sense is damage, not a version.
constexpr uint64_t kMaxMajor = 1000;

Bytes render_identity(const std::string& cluster, const Identity& identity, const Clock& clock) {
    Json json = {
        {"cluster", cluster},
        {"system_identifier", std::to_string(identity.system_identifier)},
        {"postgresql_major", identity.major},
        {"wal_segment_size", identity.wal_segment_size},
        {"created", format_time(clock.now())},
    };
    if (identity.predecessor != 0) json["predecessor"] = std::to_string(identity.predecessor);
    return to_bytes(render_json(json, JsonStyle::kIndented) + "\n");
}

bool parse_number(const Json& json, uint64_t& number) {
    if (!json.is_string()) return false;
    const auto& text = json.get_ref<const std::string&>();
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    return problem == std::errc() && end == text.data() + text.size();
}

Result<Identity> parse_identity(ByteView content, const std::string& key) {
    const auto json = parse_json(as_text(content));
    Identity identity;
    if (json.is_object() && json.contains("system_identifier") && json.contains("postgresql_major") && json["postgresql_major"].is_number_unsigned() &&
        json.contains("wal_segment_size") && json["wal_segment_size"].is_number_unsigned()) {
        const auto major = json["postgresql_major"].get<uint64_t>(), segment_size = json["wal_segment_size"].get<uint64_t>();
        identity.major = static_cast<int>(major);
        identity.wal_segment_size = static_cast<uint32_t>(segment_size);
        const bool numbers = parse_number(json["system_identifier"], identity.system_identifier) &&
                             (!json.contains("predecessor") || parse_number(json["predecessor"], identity.predecessor));
        // Whoever reads the identity divides by the segment size.
        if (numbers && major <= kMaxMajor && is_valid_wal_segment_size(segment_size)) return identity;
    }
    return Error(ErrorCode::corrupt_object, formatted("object \"{}\" does not describe a database cluster", key)).object(key);
}

/// How far the WAL of a cluster is stored on `timeline` and those after it: where the last segment begins, or a tail ends. Invalid without any.
Result<Lsn> last_stored(Storage& storage, const Layout& layout, uint32_t segment_size, TimelineId timeline) {
    Lsn last;
    const auto see = [&](std::string_view name, uint32_t bytes) {
        const Result<WalSegmentName> segment = parse_wal_segment_name(name, segment_size);
        if (segment.ok() && segment->timeline >= timeline) last = std::max(last, start_lsn(segment->segment_number, segment_size) + bytes);
    };
    TRY(for_each_object(storage, layout.wal_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        see(object.key.substr(object.key.rfind('/') + 1), 0);
        return {};
    }));
    TRY(for_each_object(storage, layout.wal_tails_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        if (const std::optional<WalTailKey> piece = layout.parse_wal_tail(object.key)) see(piece->segment, piece->end);
        return {};
    }));
    return last;
}

}  // namespace

Result<std::vector<std::string>> list_identities(Storage& storage, const std::string& cluster) {
    std::vector<std::string> keys;
    TRY(for_each_object(storage, Layout::identity_prefix(cluster), [&](const ObjectInfo& object) -> Result<void> {
        if (Layout::number_of_identity(cluster, object.key)) keys.push_back(object.key);
        return {};
    }));
    std::ranges::sort(keys, {}, [&](const std::string& key) { return Layout::number_of_identity(cluster, key); });
    return keys;
}

Result<Identity> load_identity(Storage& storage, const std::string& key) {
    TRY_ASSIGN(const Bytes object, read_object(storage, key, kMaxObjectSize));
    TRY_ASSIGN(const Bytes content, open_object(object, {key, ObjectKind::kIdentity, 0}));
    return parse_identity(content, key);
}

Result<void> put_identity(Storage& storage, const std::string& cluster, unsigned number, const Identity& identity, const Clock& clock) {
    const BuiltObject object = build_object(ObjectKind::kIdentity, 0, render_identity(cluster, identity, clock), {Codec::kNone, 0});
    TRY(storage.put(Layout::identity(cluster, number), object.parts(), PutMode::kIfAbsent));
    return {};
}

Result<void> check_at_rest(Storage& storage, const std::string& cluster, const Identity& identity, const Predecessor& predecessor) {
    if (!predecessor.end.valid()) return {};
    TRY_ASSIGN(const Lsn last, last_stored(storage, Layout(cluster, identity.system_identifier), identity.wal_segment_size, predecessor.timeline));
    if (last <= predecessor.end) return {};
    return Error(ErrorCode::foreign_repository,
                 formatted("cluster {}, which has the name \"{}\" in repository \"{}\", was used after this one was made of it", identity.system_identifier, cluster,
                           storage.url()))
        .detail(formatted("Its WAL is stored up to {}, and it ended at {} when it was upgraded. Either a copy of it was upgraded and it goes on, or it was started again.",
                          last, predecessor.end))
        .hint(formatted("Give this server a \"steward.cluster\" or a repository of its own. If the other one is not to be used any more, run \"pg_steward succeed "
                        "--predecessor {}\" on the data directory of this one.",
                        identity.system_identifier))
        .object(storage.url());
}

Result<std::vector<Identity>> list_former_systems(Storage& storage, const std::string& cluster) {
    TRY_ASSIGN(std::vector<std::string> keys, list_identities(storage, cluster));
    std::vector<Identity> former;
    if (keys.empty()) return former;
    TRY_ASSIGN(const Identity in_force, load_identity(storage, keys.back()));
    keys.pop_back();
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
        const Result<Identity> identity = load_identity(storage, *key);
        if (!identity.ok() && identity.error().retryable()) return identity.error();
        if (!identity.ok() || identity->system_identifier == in_force.system_identifier) continue;
        if (std::ranges::find(former, identity->system_identifier, &Identity::system_identifier) == former.end()) former.push_back(*identity);
    }
    return former;
}

}  // namespace steward
