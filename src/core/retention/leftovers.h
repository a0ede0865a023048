// What belongs to backups and WAL, and goes when they go.
//
// A piece that lies at a position in the WAL (".partial" and ".backup" files, pieces of the tail, restore points) goes when a WAL segment
// at its place would go. A record of WAL that is not there goes when every kept backup begins after it. A history file goes when its timeline
// is older than every one that is kept and no ancestor of one: a server that comes out of recovery takes the number after the last
// history file that it finds without a break (findNewestTimeLine in timeline.c), so none may be missing between those that are kept.
// A pin goes when there is no such backup.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/retention/plan_expiry.h"

namespace steward {

enum class LeftoverKind { kRestorePoint, kWalTail, kPartialSegment, kBackupHistory, kGap, kTimelineHistory, kPin };

/// The words for people: "restore point", "restore points".
std::string_view name_of(LeftoverKind kind, uint64_t count);

struct Leftover {
    LeftoverKind kind = LeftoverKind::kPin;
    std::string key;
    uint64_t stored_bytes = 0;
    TimelineId timeline = 0;  ///< all but pins
    uint64_t first = 0;       ///< number of the segment it is in or, for a gap, begins with
    uint64_t last = 0;        ///< kGap: its last segment
    std::string label = {};   ///< kPin only
};

/// Choose what goes beside what `plan`, made of `facts` and `rules`, removes. In the order of removal, which any interruption may cut short.
/// `stored` is what is there; history files among it are those that could be read. Pure.
std::vector<Leftover> choose_leftovers(const ExpiryFacts& facts, const ExpiryRules& rules, const ExpiryPlan& plan, const std::vector<Leftover>& stored);

/// Whether nothing but pins goes at all: no policy, no complete backup, or one that cannot be read.
bool is_on_hold(const ExpiryFacts& facts, const ExpiryPlan& plan, const RetentionPolicy& policy);

}  // namespace steward
