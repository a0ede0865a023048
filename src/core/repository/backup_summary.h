// What is worth knowing of a backup without reading its whole manifest: the manifest's first line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"

namespace steward {

struct BackupSummary {
    std::string label;
    uint64_t system_identifier = 0;
    int major = 0;
    std::string server_version;       ///< "17.6 (Debian 17.6-1)"
    std::string steward_version;      ///< of the program that wrote it
    uint32_t timeline = 0;            ///< on which the backup starts
    uint32_t stop_timeline = 0;       ///< differs when a standby was promoted meanwhile
    Lsn start_lsn;                    ///< redo starts here
    Lsn stop_lsn;                     ///< consistent from here on
    uint32_t wal_segment_size = 0;
    TimePoint started;
    TimePoint stopped;
    bool from_standby = false;
    bool data_checksums = false;
    uint64_t files = 0;
    uint64_t data_bytes = 0;          ///< of all files
    uint64_t repository_bytes = 0;    ///< that this backup added, manifest excluded
    uint64_t checksum_failures = 0;   ///< pages whose checksum was wrong, after re-reading
    std::string base;                 ///< label of the backup it was compared with; empty when everything was stored anew
    uint64_t read_bytes = 0;          ///< of the data directory; 0 in backups of format version 1
    std::optional<TimePoint> last_full_read;  ///< start of the newest backup that read every page: this one, or one it goes back to
};

/// One line of JSON, without the newline.
std::string render_summary(const BackupSummary& summary);

/// Parse what render_summary wrote; unknown members are ignored. Errors: corrupt_object naming the member.
Result<BackupSummary> parse_summary(std::string_view line);

}  // namespace steward
