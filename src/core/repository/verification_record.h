// What verification remembers: which objects were read in full and found good, and when. Kept in the repository itself, so that it
// outlives the server and every host knows of it.
//
// Content of the object: JSON, one value a line. First the summary, then one array an object:
//
//   {"time":"...","finished":true,"objects":N,"bytes":N,"problems":N,"damaged":["KEY",...]}
//   ["KEY",SIZE,LENGTH,MODIFIED,VERIFIED]
//
// SIZE is that of the stored object and LENGTH that of its content, in bytes; the times are microseconds since the epoch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/repository/repository.h"

namespace steward {

/// An object that was whole. Another size or modification time makes it another object.
struct VerifiedObject {
    uint64_t size = 0;    ///< bytes, stored
    uint64_t length = 0;  ///< bytes of content
    TimePoint modified;   ///< by the store's clock
    TimePoint verified;   ///< not later than it was read

    bool operator==(const VerifiedObject&) const = default;
};

struct VerificationRecord {
    TimePoint time;           ///< when the record was written
    bool finished = false;    ///< not so: a run was still at work
    uint64_t objects = 0;     ///< in the repository
    uint64_t bytes = 0;       ///< stored
    uint64_t problems = 0;    ///< found by the run that wrote this; never remembered as verified
    std::set<std::string> damaged;  ///< keys of packs whose content is not what it was: backups go on from them no more
    std::map<std::string, VerifiedObject, std::less<>> verified;  ///< by key
};

/// Render the record's content.
std::string render_verification(const VerificationRecord& record);

/// Parse what render_verification wrote; unknown members of the summary are ignored. Errors: corrupt_object naming the line.
Result<VerificationRecord> parse_verification(std::string_view content);

/// The newest record that can be read, and what is wrong with those that cannot.
struct RememberedVerification {
    VerificationRecord record;      ///< empty where there is none
    std::vector<std::string> keys;  ///< of all records, also the damaged ones
    std::vector<Error> damaged;     ///< each naming its object
};

/// Load what earlier runs remember. One that may not be read counts as not there: verifying again is always right.
/// Errors: as Storage::list; those of reading that a repetition may cure.
Result<RememberedVerification> load_verification(const Repository& repository);

/// Keys of the packs that the newest record calls damaged. Reads no more of the record than its summary.
/// Errors: as load_verification.
Result<std::set<std::string>> load_damaged_packs(const Repository& repository);

/// Store the record, then remove those in `superseded`, which holds the key of the new one alone on return. `random` makes the name
/// unique among hosts. Durable on return; a crash in between leaves records too many, which the next run removes.
/// Errors: as Storage::put and remove.
Result<void> store_verification(const Repository& repository, const VerificationRecord& record, uint64_t random, std::vector<std::string>& superseded);

}  // namespace steward
