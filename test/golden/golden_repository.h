// What the golden repository holds: content that never changes. Shared by the program that wrote it and the test that reads it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/repository/repository.h"
#include "core/storage/file_storage.h"

namespace steward {

/// Segments of 1 MB keep it small.
inline constexpr Identity kGoldenIdentity{0x6543210fedcba987, 17, 1024 * 1024};

struct GoldenObject {
    std::string key;
    ObjectKind kind;
    Bytes content;
    Compression compression;
};

/// Bytes that look like nothing in particular, without a library's random numbers, which may change.
inline Bytes golden_bytes(size_t size, uint32_t seed) {
    Bytes bytes(size);
    for (std::byte& b : bytes) {
        seed = seed * 1664525 + 1013904223;
        b = static_cast<std::byte>(seed >> 24);
    }
    return bytes;
}

/// A manifest as it stands in a repository, word for word: not rendered, since what renders it may change and the format may not.
inline constexpr std::string_view kGoldenManifest =
    R"({"type":"backup","label":"golden","system_identifier":"7301500321398304135","postgresql_major":17,"server_version":"17.6","steward_version":"0.1.0","timeline":1,"stop_timeline":1,"start_lsn":"0/300028","stop_lsn":"0/300120","wal_segment_size":1048576,"started":"2026-11-20T11:04:43.000000Z","stopped":"2026-11-20T11:04:44.000000Z","from_standby":false,"data_checksums":true,"files":2,"data_bytes":18576,"repository_bytes":2496,"checksum_failures":0}
{"type":"label","backup_label":"START WAL LOCATION: 0/300028 (file 000000010000000000000003)\nCHECKPOINT LOCATION: 0/300060\nBACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: 2026-11-20 11:04:43 UTC\nLABEL: golden\nSTART TIMELINE: 1\n","tablespace_map":""}
{"type":"pack","set":"golden","number":1,"length":1500,"stored":1648}
{"type":"pack","set":"golden","number":2,"length":700,"stored":848}
{"type":"tablespace","oid":16384,"location":"/srv/fast"}
{"type":"directory","path":"base","mode":448}
{"type":"directory","path":"base/5","mode":448}
{"type":"file","path":"base/5/1259","size":16384,"mode":384,"modified":"2026-11-20T11:04:40.123456Z","crc32c":"0a1b2c3d","runs":[[0,1000,0,500],[8192,700,1,0]]}
{"type":"file","path":"base/5/PG_VERSION","size":3,"mode":384,"modified":"2026-11-20T11:04:40.000000Z","crc32c":"00000000","runs":[[0,3,0,0]]}
{"type":"end","files":2}
)";

/// Every object but the identity.
inline std::vector<GoldenObject> golden_objects(const Layout& layout) {
    constexpr Compression kPlain{Codec::kNone, 0}, kZstd{Codec::kZstd, 3};
    Bytes segment(kGoldenIdentity.wal_segment_size);
    std::ranges::fill(segment, std::byte{0});
    std::ranges::copy(golden_bytes(500, 1), segment.begin());
    std::ranges::copy(golden_bytes(500, 2), segment.begin() + 300 * 1024);
    return {
        {layout.manifest("golden"), ObjectKind::kManifest, to_bytes(kGoldenManifest), kPlain},
        {layout.wal("00000002.history"), ObjectKind::kTimelineHistory, to_bytes("1\t0/340000\tno recovery target specified\n"), kPlain},
        {layout.wal("000000010000000000000003"), ObjectKind::kWalSegment, segment, kZstd},
        {layout.wal("000000010000000000000003.00000028.backup"), ObjectKind::kBackupHistory,
         to_bytes("START WAL LOCATION: 0/300028 (file 000000010000000000000003)\nSTOP WAL LOCATION: 0/300120 (file 000000010000000000000003)\n"
                  "CHECKPOINT LOCATION: 0/300060\nBACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: 2026-11-20 11:04:43 UTC\n"
                  "LABEL: golden\nSTART TIMELINE: 1\nSTOP TIME: 2026-11-20 11:04:44 UTC\nSTOP TIMELINE: 1\n"),
         kPlain},
        {layout.pack("golden", 1), ObjectKind::kPack, golden_bytes(1500, 3), kPlain},
        {layout.pack("golden", 2), ObjectKind::kPack, golden_bytes(700, 4), kZstd},
    };
}

}  // namespace steward
