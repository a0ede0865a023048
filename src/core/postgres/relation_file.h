// What the files of a data directory are, and which of them a base backup leaves out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

using Oid = uint32_t;

/// The two tablespaces every cluster has (src/include/catalog/pg_tablespace.dat).
inline constexpr Oid kDefaultTablespace = 1663;
inline constexpr Oid kGlobalTablespace = 1664;

enum class RelationFork { kMain, kFreeSpaceMap, kVisibilityMap, kInit };

/// One file of one relation.
struct RelationFile {
    Oid tablespace = 0;
    Oid database = 0;  ///< 0 in the global tablespace
    uint32_t relation_number = 0;  ///< relfilenode, not the relation's OID
    RelationFork fork = RelationFork::kMain;
    uint32_t segment = 0;  ///< files after the first gigabyte count from 1
    bool temporary = false;

    bool operator==(const RelationFile&) const = default;
};

/// What `path`, relative to the data directory with '/' between and nothing before ("base/16384/16385_fsm.1"), is as a
/// relation's file, or nothing. Numbers have no leading zeros (parse_filename_for_nontemp_relation of
/// src/backend/storage/file/reinit.c, looks_like_temp_rel_name of fd.c; 15 to 19). Tablespaces are seen through their links:
/// "pg_tblspc/16400/PG_15_202209061/16384/16385", of whatever version directory.
std::optional<RelationFile> parse_relation_path(std::string_view path);

/// "PG_15_202209061": the directory in a tablespace that belongs to one major (src/include/common/relpath.h). Several
/// clusters of different versions may share a tablespace's directory; a backup takes its own only.
std::string tablespace_version_directory(int major, uint32_t catalog_version);

enum class BackupExclusion {
    kInclude,
    kSkip,            ///< not part of a backup
    kEmptyDirectory,  ///< the directory is needed, its content is not
};

/// How a base backup treats `path` (relative, as above): the rules of src/backend/backup/basebackup.c, sendDir, 15 to 19.
///
/// `is_directory` is true for a symbolic link to a directory as well: core turns those (pg_wal on a disk of its own) into
/// plain directories. The rules look at names alone, at every depth, and what lies under a left-out directory is skipped.
/// Beyond core's list, "current_logfiles" and "backup_label.old" are skipped: the first describes the running server, the
/// second an older backup. "pg_steward" is emptied: what this server has done is not the history of the one that is restored.
/// Not covered: unlogged relations (unlogged_files), foreign version directories
/// (tablespace_version_directory), tablespaces inside the data directory; global/pg_control is included, and must be
/// copied last.
BackupExclusion exclusion_of(std::string_view path, bool is_directory);

/// Of `names`, all files of one directory that holds relations, return those that belong to unlogged relations and are
/// rebuilt from the init fork at the end of recovery: every file of a relation that has an "_init" fork but that fork itself.
std::vector<std::string> unlogged_files(const std::vector<std::string>& names);

}  // namespace steward
