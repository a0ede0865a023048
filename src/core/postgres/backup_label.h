// The two files that make a copied data directory a base backup: backup_label and tablespace_map.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/relation_file.h"
#include "core/postgres/wal_name.h"

namespace steward {

/// The content of a backup_label file, or of a backup history file in the archive, which adds where the backup stopped
/// (build_backup_content of src/backend/access/transam/xlogbackup.c; xlog.c in 15).
struct BackupLabel {
    Lsn start_lsn;  ///< redo point of the checkpoint that recovery begins with
    std::string start_segment;  ///< 24 digits; carries the timeline
    TimelineId start_timeline = 0;
    Lsn checkpoint_lsn;
    std::string method;        ///< "streamed"
    std::string from;          ///< "primary" or "standby"
    std::string start_time;    ///< for people, in the server's log_timezone
    std::string label;

    std::optional<Lsn> stop_lsn;  ///< this and the next two only in history files
    std::string stop_segment;
    std::string stop_time;
    TimelineId stop_timeline = 0;

    std::optional<Lsn> incremental_from;  ///< 17 and later: the backup this one is an increment of, made by core
    TimelineId incremental_from_timeline = 0;
};

/// Parse backup_label or a backup history file. Lines of unknown names are passed over. Errors: corrupt_object when the
/// start or the checkpoint is missing, a known line is malformed or appears twice, or the timelines contradict each other.
Result<BackupLabel> parse_backup_label(std::string_view text);

/// One line of tablespace_map: where the link pg_tblspc/<oid> points.
struct TablespaceMapping {
    Oid tablespace = 0;
    std::string location;

    bool operator==(const TablespaceMapping&) const = default;
};

/// Parse tablespace_map: number, blank, path, with a backslash before newline, carriage return and backslash in the path
/// (read_tablespace_map of src/backend/access/transam/xlogrecovery.c). Errors: corrupt_object, with the entry's number.
Result<std::vector<TablespaceMapping>> parse_tablespace_map(std::string_view text);

/// Render a tablespace_map that the server and parse_tablespace_map read back. Locations are not empty.
std::string render_tablespace_map(const std::vector<TablespaceMapping>& mappings);

}  // namespace steward
