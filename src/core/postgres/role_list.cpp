#include "core/postgres/role_list.h"

#include <algorithm>
#include <map>

#include "core/postgres/commit_log.h"
#include "core/postgres/heap_page.h"
#include "core/postgres/page.h"
#include "core/postgres/shared_catalog.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

// FormData_pg_authid (src/include/catalog/pg_authid.h), the same columns in 12 to 19: oid, name, seven flags, a padding byte, the
// connection limit, and then what may be NULL.
constexpr size_t kNameOffset = 4;
constexpr size_t kNameSize = 64;  // NAMEDATALEN
constexpr size_t kSuperuserOffset = kNameOffset + kNameSize;
constexpr size_t kCanLoginOffset = kSuperuserOffset + 4;
constexpr size_t kLimitOffset = kSuperuserOffset + 8;
constexpr size_t kNullableOffset = kLimitOffset + 4;
constexpr uint16_t kColumns = 12;
constexpr uint16_t kHasNull = 0x0001;  // HEAP_HASNULL

/// 2000-01-01 (POSTGRES_EPOCH_JDATE) in microseconds since 1970-01-01.
constexpr int64_t kEpochDifference = INT64_C(946684800) * 1000000;

std::optional<int64_t> timestamp_at(ByteView data, size_t offset) {
    if (offset + sizeof(int64_t) > data.size()) return std::nullopt;
    return load_le<int64_t>(data.data() + offset);
}

/// A text of one of its two plain forms (src/include/varatt.h); a verifier is too short to be compressed or moved out.
struct StoredText {
    std::string_view text;
    size_t end = 0;
};

std::optional<StoredText> text_at(ByteView data, size_t offset) {
    if (offset >= data.size()) return std::nullopt;
    const unsigned first = std::to_integer<unsigned>(data[offset]);
    size_t header = 1, size = first >> 1;
    if ((first & 1U) == 0) {
        if ((first & 3U) != 0 || offset + 4 > data.size()) return std::nullopt;
        header = 4;
        size = load_le<uint32_t>(data.data() + offset) >> 2;
    }
    if (size <= header || size > data.size() - offset) return std::nullopt;
    return StoredText{as_text(data.subspan(offset + header, size - header)), offset + size};
}

/// The last two columns. With one NULL of the two, what is left is either eight bytes of time or a longer verifier.
void read_nullable(const HeapTuple& tuple, Role& role) {
    constexpr size_t kTimestampAlignment = 8;
    const ByteView data = tuple.data;
    if (data.size() <= kNullableOffset) return;
    if ((tuple.infomask & kHasNull) != 0 && data.size() == kNullableOffset + sizeof(int64_t)) {
        role.valid_until = timestamp_at(data, kNullableOffset);
        return;
    }
    const std::optional<StoredText> verifier = text_at(data, kNullableOffset);
    if (!verifier) return;
    role.verifier = verifier->text;
    if ((tuple.infomask & kHasNull) == 0)
        role.valid_until = timestamp_at(data, (verifier->end + kTimestampAlignment - 1) / kTimestampAlignment * kTimestampAlignment);
}

std::optional<Role> role_of(const HeapTuple& tuple) {
    if (tuple.attributes < kColumns || tuple.data.size() < kNullableOffset) return std::nullopt;
    const auto flag_at = [&](size_t offset) { return tuple.data[offset] != std::byte{0}; };
    const std::string_view name = as_text(tuple.data.subspan(kNameOffset, kNameSize));
    Role role;
    role.oid = load_le<Oid>(tuple.data.data());
    role.name = name.substr(0, name.find('\0'));
    role.superuser = flag_at(kSuperuserOffset);
    role.can_login = flag_at(kCanLoginOffset);
    role.connection_limit = load_le<int32_t>(tuple.data.data() + kLimitOffset);
    read_nullable(tuple, role);
    if (role.oid == 0 || role.name.empty()) return std::nullopt;
    return role;
}

/// No transaction runs, so one that did not commit has failed.
bool is_visible(const HeapTuple& tuple, const CommitLookup& committed) {
    if (tuple.is_never_inserted()) return false;
    if (!tuple.is_frozen() && !tuple.is_insert_committed() && !committed(tuple.xmin).value_or(true)) return false;
    if (!tuple.is_delete_by_xmax()) return true;
    return !tuple.is_delete_committed() && !committed(tuple.xmax).value_or(false);
}

}  // namespace

bool has_expired(const Role& role, TimePoint now) {
    return role.valid_until && *role.valid_until < now.time_since_epoch().count() - kEpochDifference;
}

std::string format_valid_until(int64_t valid_until) {
    // Beyond this the addition below would overflow; nobody's clock gets there.
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max() - kEpochDifference;
    if (valid_until == std::numeric_limits<int64_t>::min()) return "-infinity";
    if (valid_until > kMost) return "infinity";
    return format_time(TimePoint(std::chrono::microseconds(valid_until + kEpochDifference)));
}

std::vector<Role> list_roles(ByteView relation, const CommitLookup& committed) {
    std::map<Oid, Role> roles;
    for (size_t at = 0; at + kPageSize <= relation.size(); at += kPageSize)
        for (const HeapTuple& tuple : heap_tuples(relation.subspan(at, kPageSize)))
            if (is_visible(tuple, committed))
                if (std::optional<Role> role = role_of(tuple)) roles.insert_or_assign(role->oid, std::move(*role));
    std::vector<Role> list;
    for (auto& [oid, role] : roles) list.push_back(std::move(role));
    return list;
}

Result<std::vector<Role>> read_roles(const fs::path& data_directory) {
    TRY_ASSIGN(const Bytes relation, read_shared_catalog(data_directory, kRoleCatalog));
    CommitLog log(data_directory);
    return list_roles(relation, [&log](uint32_t xid) -> std::optional<bool> {
        const std::optional<TransactionStatus> status = log.status_of(xid);
        if (!status) return std::nullopt;
        // After a shutdown a subcommitted one is of a transaction that did not commit.
        return *status == TransactionStatus::kCommitted;
    });
}

}  // namespace steward
