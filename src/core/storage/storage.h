// One interface to every place a repository can live in. Object semantics: whole objects under keys, no directories.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace steward {

/// What a driver can promise beyond the contract.
struct StorageCapabilities {
    /// put(kIfAbsent) is decided by the store in one step, so that of several writers at once exactly one creates.
    /// Without it the driver looks first and the answer is advisory.
    bool atomic_if_absent = false;
    /// What `put` returned survives a power cut of this machine.
    bool durable = false;
};

enum class PutMode {
    kReplace,   ///< an existing object is replaced as a whole
    kIfAbsent,  ///< an existing object stays as it is and the outcome says so
};

enum class PutOutcome { kCreated, kReplaced, kAlreadyExists };

struct ObjectInfo {
    std::string key;
    uint64_t size = 0;  ///< bytes
    TimePoint modified; ///< by the store's clock
};

struct ListPage {
    std::vector<ObjectInfo> objects;  ///< in byte order of the keys
    std::string next;                 ///< pass to the next call; empty when this was the last page
};

/// A store of immutable-by-convention objects.
///
/// Keys are 1 to 1000 bytes of UTF-8: segments of at most 255 bytes (NAME_MAX) separated by single slashes, none of them
/// empty, "." or "..", without control characters, and the first one neither ".pg_steward.tmp" nor "lost+found", which file
/// systems hold beside the objects. Every method but `list` refuses anything else with invalid_argument. One set of rules
/// for all drivers lets a repository move from any store to any other.
///
/// A key must not run through another: "a" beside "a/b". File systems cannot hold both and refuse the second with
/// wrong_state, and so they answer whatever is asked about "a/b" while "a" is an object; object stores hold both.
///
/// Every method is thread-safe, may block on disk or network, and is safe to repeat. Errors common to all: permission_denied,
/// no_space, io_error, network, timed_out, each naming the key (the prefix for `list`) in `object()`.
///
/// storage_contract_test.h is the executable form of this contract; every driver passes it.
class Storage {
public:
    virtual ~Storage() = default;

    virtual StorageCapabilities capabilities() const = 0;

    /// "file:///srv/pg" or "s3://bucket/prefix": where this is, without secrets; for messages.
    virtual std::string url() const = 0;

    /// Store the concatenation of `parts` under `key`.
    ///
    /// Atomic: readers see the old object or the new one, whole. Durable on return where the capability says so (file:
    /// the object and every directory entry leading to it are fsynced); so is the object that kAlreadyExists tells of.
    /// After an error the key holds what it held before or, where only the answer was lost (network, a failed fsync of the
    /// directory), the new object, whole. A failed or killed put may leave garbage that `remove_stale_uploads` clears.
    /// Whether kReplace reports kCreated or kReplaced is for display: two writers at once may both be told either.
    virtual Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) = 0;

    /// Read `length` bytes at `offset`; fewer only where the object ends, none from there on. Errors: not_found, which is
    /// as much of a proof as the nothing of `stat`.
    virtual Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) = 0;

    /// Return what is known of the object without reading it, or nothing when it does not exist. "Nothing" is a proof: a
    /// store that could not be asked is an error.
    virtual Result<std::optional<ObjectInfo>> stat(std::string_view key) = 0;

    /// List objects whose key begins with `prefix` (any text, also empty, also one that ends within a segment), in byte
    /// order, at most `limit` (1..1000) a page. `page` is "" for the first page, then the previous page's `next`. Objects
    /// put or removed meanwhile may or may not appear. Errors: invalid_argument for a limit out of range.
    virtual Result<ListPage> list(std::string_view prefix, std::string_view page = {}, size_t limit = 1000) = 0;

    /// Remove the object; one that does not exist is fine. Durable as for put.
    virtual Result<void> remove(std::string_view key) = 0;

    /// Remove what puts that never finished have left, if it is older than `older_than` (by the store's clock).
    virtual Result<void> remove_stale_uploads(TimePoint older_than) = 0;
};

/// Read the whole object, which costs one read and no more memory than it and a byte. Errors: not_found; io_error, not
/// retryable, when it is larger than `limit` bytes.
Result<Bytes> read_object(Storage& storage, std::string_view key, uint64_t limit);

/// Call `visit` for every object under `prefix`, in byte order of the keys, until it returns an error.
Result<void> for_each_object(Storage& storage, std::string_view prefix,
                             const std::function<Result<void>(const ObjectInfo&)>& visit);

/// Check a key against the rules above. Errors: invalid_argument.
Result<void> check_key(std::string_view key);

/// Check the page size given to `list`. Errors: invalid_argument.
Result<void> check_list_limit(size_t limit);

/// Return the error not_found for the object `key` of the store at `url`: every driver says it in the same words.
Error object_not_found(std::string_view key, std::string_view url);

/// Largest page that `list` returns.
inline constexpr size_t kMaxListLimit = 1000;
/// First segment under which the file driver writes what is not yet an object.
inline constexpr std::string_view kTemporarySegment = ".pg_steward.tmp";

}  // namespace steward
