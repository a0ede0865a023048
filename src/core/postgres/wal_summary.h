// WAL summaries (17+): which blocks of which relations a stretch of WAL touches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/relation_file.h"
#include "core/postgres/wal_name.h"

namespace steward {

/// One file of pg_wal/summaries, told by its name (GetWalSummaries in src/backend/backup/walsummary.c, 17 to 19).
struct WalSummaryName {
    TimelineId timeline = 0;
    Lsn begin;
    Lsn end;  ///< exclusive

    bool operator==(const WalSummaryName&) const = default;
};

/// "TTTTTTTTBBBBBBBBBBBBBBBBEEEEEEEEEEEEEEEE.summary", or nothing for any other name.
std::optional<WalSummaryName> parse_wal_summary_name(std::string_view name);
std::string to_string(const WalSummaryName& name);

/// Summaries that follow each other without a hole.
struct WalSummaryCover {
    std::vector<WalSummaryName> names;  ///< in order; they may overlap
    Lsn reached;                        ///< where the first hole begins, or the end that was asked for
};

/// Choose those of `available` that cover WAL of `timeline` from `begin` on, up to `end` at most.
WalSummaryCover cover_with_summaries(std::vector<WalSummaryName> available, TimelineId timeline, Lsn begin, Lsn end);

/// What several summaries say together. For one thread.
class ChangedBlocks {
public:
    /// What is known of one relation fork.
    struct Fork {
        /// Blocks from here on belong to a younger relation or were cut off meanwhile: what was there before says nothing about them.
        std::optional<uint32_t> limit;
        std::vector<uint32_t> blocks;  ///< sorted, without duplicates
    };

    /// Add a summary file's content (blkreftable.c: entries of a fork with its limit block and chunks of 65536 blocks, then a CRC).
    /// Errors: corrupt_object; what was added before stays.
    Result<void> add(ByteView content);

    /// Changes of a relation's fork, all segments. nullptr: nothing touched it. Call after the last add.
    const Fork* find(const RelationFile& file);

    /// Whether the database was made by copying files, so that nothing is known of its relations.
    bool is_database_new(Oid tablespace, Oid database) const { return new_databases_.contains({tablespace, database}); }

private:
    struct Entry {
        Fork fork;
        bool sorted = true;
    };

    std::map<std::tuple<Oid, Oid, uint32_t, uint32_t>, Entry> forks_;  ///< by tablespace, database, relation, fork number
    std::set<std::pair<Oid, Oid>> new_databases_;
};

}  // namespace steward
