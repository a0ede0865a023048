// Small JSON objects of one kind below one prefix: restore points, gaps.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/postgres/lsn.h"
#include "core/repository/repository.h"

namespace steward {

/// Reads the records of one kind; remembers what it has read, since they never change. For one thread and one repository.
class RecordList {
public:
    explicit RecordList(ObjectKind kind) : kind_(kind) {}

    /// List all below `prefix` and read those that are new. One damaged record does not hide the others. Errors: as Storage::list and read.
    Result<void> read(const Repository& repository, const std::string& prefix);

    /// By key, as of the last read.
    const std::map<std::string, Json>& records() const { return records_; }
    /// Records that could not be understood at the last read.
    const std::vector<Error>& damaged() const { return damaged_; }

private:
    ObjectKind kind_;
    std::map<std::string, Json> records_;
    std::vector<Error> damaged_;
};

/// Store `record` under `key`, unless there is one: what was recorded first stands, whatever its time and note say. Durable on return.
/// Errors: as Repository::store, but for content_conflict.
Result<StoreOutcome> store_record(const Repository& repository, const std::string& key, ObjectKind kind, const Json& record);

/// Text, number, position and time of a record's member; nothing when it is missing or makes no sense.
std::optional<std::string> text_member(const Json& record, const char* name);
std::optional<uint32_t> timeline_member(const Json& record, const char* name);
std::optional<Lsn> lsn_member(const Json& record, const char* name);
std::optional<TimePoint> time_member(const Json& record, const char* name);

/// The error for a record whose members make no sense.
Error malformed_record(const std::string& key, std::string_view what);

}  // namespace steward
