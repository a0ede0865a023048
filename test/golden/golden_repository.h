// What the golden repositories hold: content that never changes. Shared by the program that wrote them and the test that reads them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/crypto/digest.h"
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

/// Every object of version 1 but the identity.
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

/// A manifest of version 2: a pack with a table of page digests, one of another set, a file with a digest, one without a CRC.
inline constexpr std::string_view kGoldenManifest2 =
    R"({"type":"backup","label":"second","system_identifier":"7301500321398304135","postgresql_major":17,"server_version":"17.6","steward_version":"0.1.0","timeline":1,"stop_timeline":1,"start_lsn":"0/500028","stop_lsn":"0/500120","wal_segment_size":1048576,"started":"2026-11-21T11:04:43.000000Z","stopped":"2026-11-21T11:04:44.000000Z","from_standby":false,"data_checksums":true,"files":2,"data_bytes":24676,"repository_bytes":16628,"checksum_failures":0,"base":"golden","read_bytes":16484,"last_full_read":"2026-11-20T11:04:43.000000Z"}
{"type":"label","backup_label":"START WAL LOCATION: 0/500028 (file 000000010000000000000005)\nCHECKPOINT LOCATION: 0/500060\nBACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: 2026-11-21 11:04:43 UTC\nLABEL: second\nSTART TIMELINE: 1\n","tablespace_map":""}
{"type":"pack","set":"second","number":1,"length":16500,"stored":16648,"table":16484}
{"type":"pack","set":"golden","number":1,"length":1500,"stored":1648}
{"type":"directory","path":"base","mode":448}
{"type":"directory","path":"base/5","mode":448}
{"type":"file","path":"base/5/1259","size":24576,"mode":384,"modified":"2026-11-21T11:04:40.123456Z","runs":[[0,8192,0,0],[8192,1000,1,500],[16384,8192,0,8192]]}
{"type":"file","path":"base/5/pg_filenode.map","size":100,"mode":384,"modified":"2026-11-20T11:04:40.000000Z","crc32c":"0a1b2c3d","digest":"xxh3:ea342ac7e3b6d2a52b2d4cb3662c3259","runs":[[0,100,0,16384]]}
{"type":"end","files":2}
)";

/// Two pages, a small file, and the table of the pages' digests.
inline Bytes golden_pack_with_table() {
    Bytes content;
    for (const auto& [size, seed] : {std::pair<size_t, uint32_t>{8192, 5}, {8192, 6}, {100, 7}}) {
        const Bytes piece = golden_bytes(size, seed);
        content.insert(content.end(), piece.begin(), piece.end());
    }
    for (const size_t page : {0, 8192}) {
        const uint64_t digest = short_digest_of(ByteView(content).subspan(page, 8192));
        content.resize(content.size() + sizeof digest);
        store_le(content.data() + content.size() - sizeof digest, digest);
    }
    return content;
}

/// Every object of version 2 but the identity, and the pack it goes with.
inline std::vector<GoldenObject> golden_objects_2(const Layout& layout) {
    constexpr Compression kPlain{Codec::kNone, 0};
    return {
        {layout.manifest("second"), ObjectKind::kManifest, to_bytes(kGoldenManifest2), kPlain},
        {layout.pack("second", 1), ObjectKind::kPack, golden_pack_with_table(), kPlain},
        {layout.wal_tail("000000010000000000000006", 0, 8192), ObjectKind::kWalTail, golden_bytes(8192, 8), kPlain},
        {layout.restore_point(1, Lsn{0x5000A0}), ObjectKind::kRestorePoint,
         to_bytes(R"({"name":"before deploy","note":"ticket 12","timeline":1,"lsn":"0/5000A0","time":"2026-11-21T11:05:00.000000Z"})"
                  "\n"),
         kPlain},
        {layout.gap(1, Lsn{0x400000}, Lsn{0x500000}), ObjectKind::kGap,
         to_bytes(R"({"timeline":1,"begin":"0/400000","end":"0/500000","reason":"pruned","time":"2026-11-21T12:00:00.000000Z","note":""})"
                  "\n"),
         kPlain},
        {layout.pin("second"), ObjectKind::kPin, to_bytes(R"({"label":"second","note":"keep me","time":"2026-11-21T12:00:00.000000Z"})"
                                                          "\n"),
         kPlain},
        {layout.lease("shared-backup-third-0123456789abcdef"), ObjectKind::kLease,
         to_bytes(R"({"mode":"shared","purpose":"backup \"third\"","host":"db1","pid":4711,"place":"boot/1","started":12345,"taken":"2026-11-21T12:00:00.000000Z","renewed":"2026-11-21T12:01:00.000000Z"})"
                  "\n"),
         kPlain},
        {layout.verification("20261121-130000Z-0123456789abcdef"), ObjectKind::kVerification,
         to_bytes(R"({"time":"2026-11-21T13:00:00.000000Z","finished":true,"objects":9,"bytes":40000,"problems":0}
["cluster/golden/6543210fedcba987/packs/second/000001",16648,16500,1795258000000000,1795258800000000]
)"),
         kPlain},
        {layout.drill("20261121-140000Z-second"), ObjectKind::kDrill,
         to_bytes(R"({"time":"2026-11-21T14:00:00.000000Z","backup":"second","result":"succeeded","data_bytes":24676,"timeline":1,"recovered_lsn":"0/600000","restore_seconds":1.5,"recovery_seconds":0.5,"check_seconds":2.0,"server_version":"17.6"})"
                  "\n"),
         kPlain},
    };
}

}  // namespace steward
