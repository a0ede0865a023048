#include "core/postgres/pg_control.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/crc32c.h"
#include "postgres/real_server.h"

namespace steward {
namespace {

/// Offsets in the layouts of the majors, written down from the headers by hand, apart from the parser's list of fields.
struct Layout {
    int major;
    size_t next_multixact_offset, checkpoint_time, unlogged_lsn, page_size, wal_segment_size, checksum_version, crc;
};
constexpr Layout kLayouts[] = {
    {13, 80, 104, 128, 216, 228, 252, 288}, {14, 80, 104, 128, 216, 228, 252, 288}, {15, 80, 104, 128, 216, 228, 252, 288},
    {16, 80, 104, 128, 216, 228, 252, 288}, {17, 80, 104, 128, 216, 228, 252, 288}, {18, 80, 104, 128, 216, 228, 252, 292},
    {19, 88, 112, 136, 224, 240, 268, 308},
};

Bytes crafted_control_file(const Layout& at) {
    Bytes file(8192, std::byte{0});
    const auto put32 = [&](size_t offset, uint32_t value) { store_le(file.data() + offset, value); };
    const auto put64 = [&](size_t offset, uint64_t value) { store_le(file.data() + offset, value); };
    put64(0, 7400000000000000001);
    put32(8, control_version_of(at.major));
    put32(12, 202209061);
    put32(16, 6);
    put64(24, 1700000000);
    put64(32, 0x3000060);
    put64(40, 0x3000028);
    put32(48, 4);
    put32(52, 3);
    put32(at.next_multixact_offset, 77);
    put64(at.checkpoint_time, 1700000001);
    put64(at.unlogged_lsn, 1000);
    put32(at.page_size, 8192);
    put32(at.page_size + 4, 131072);
    put32(at.wal_segment_size - 4, 8192);
    put32(at.wal_segment_size, 16 * 1024 * 1024);
    put32(at.checksum_version, 1);
    put32(at.crc, crc32c(ByteView(file).first(at.crc)));
    return file;
}

TEST(PgControl, ReadsTheLayoutOfEveryMajor) {
    for (const Layout& layout : kLayouts) {
        const auto control = parse_control_file(crafted_control_file(layout), layout.major);
        ASSERT_TRUE(control.ok()) << layout.major << ": " << control.error().to_string();
        EXPECT_EQ(control->system_identifier, 7400000000000000001u);
        EXPECT_EQ(control->state, ClusterState::kInProduction);
        EXPECT_EQ(control->checkpoint_lsn, Lsn{0x3000060});
        EXPECT_EQ(control->checkpoint.redo, Lsn{0x3000028});
        EXPECT_EQ(control->checkpoint.timeline, 4u);
        EXPECT_EQ(control->checkpoint.previous_timeline, 3u);
        EXPECT_EQ(control->checkpoint.next_multixact_offset, 77u);
        EXPECT_EQ(format_time(control->checkpoint.time), "2023-11-14T22:13:21.000000Z");
        EXPECT_EQ(control->unlogged_lsn, Lsn{1000});
        EXPECT_EQ(control->page_size, 8192u);
        EXPECT_EQ(control->wal_segment_size, 16u * 1024 * 1024);
        EXPECT_TRUE(control->has_data_checksums());
    }
}

TEST(PgControl, FindsEveryFlippedByte) {
    const Layout& layout = kLayouts[2];
    const Bytes good = crafted_control_file(layout);
    for (size_t at = 0; at < layout.crc + 4; at++) {
        Bytes damaged = good;
        damaged[at] ^= std::byte{0x40};
        EXPECT_FALSE(parse_control_file(damaged, layout.major).ok()) << at;
    }
}

TEST(PgControl, RefusesOtherVersionsAndShortFiles) {
    const Bytes file = crafted_control_file(kLayouts[2]);
    EXPECT_EQ(parse_control_file(file, 18).error().code(), ErrorCode::wrong_version);
    EXPECT_EQ(parse_control_file(file, 12).error().code(), ErrorCode::wrong_version);
    for (const size_t size : {size_t{0}, size_t{11}, size_t{12}, size_t{100}, size_t{291}})
        EXPECT_EQ(parse_control_file(ByteView(file).first(size), 15).error().code(), ErrorCode::corrupt_object) << size;
}

TEST(PgControl, RefusesSizesThatMakeNoSense) {
    Bytes file = crafted_control_file(kLayouts[2]);
    store_le<uint32_t>(file.data() + 228, 12345);
    store_le<uint32_t>(file.data() + 288, crc32c(ByteView(file).first(288)));
    EXPECT_EQ(parse_control_file(file, 15).error().code(), ErrorCode::corrupt_object);
}

/// pg_controldata's output as a map.
std::map<std::string, std::string> controldata(const RealServer& server) {
    std::map<std::string, std::string> fields;
    const std::string output = server.run(server.program("pg_controldata") + " " + server.data().native());
    for (size_t begin = 0; begin < output.size();) {
        const size_t end = std::min(output.find('\n', begin), output.size());
        const std::string line = output.substr(begin, end - begin);
        if (const size_t colon = line.find(':'); colon != std::string::npos)
            fields[line.substr(0, colon)] = line.substr(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
        begin = end + 1;
    }
    return fields;
}

TEST(PgControlOfARealServer, AgreesWithPgControldata) {
    const auto servers = installed_servers();
    REQUIRE_REAL_SERVERS(servers);
    for (const auto& installed : servers) {
        RealServer server(installed, "--data-checksums --wal-segsize=4");
        server.start("-c max_connections=37 -c wal_log_hints=on");
        server.sql("create table t ()");
        server.sql("checkpoint");
        const auto control = read_control_file(server.data());
        ASSERT_TRUE(control.ok()) << control.error().to_string();
        auto expected = controldata(server);
        EXPECT_EQ(std::to_string(control->system_identifier), expected["Database system identifier"]);
        EXPECT_EQ(std::to_string(control->pg_control_version), expected["pg_control version number"]);
        EXPECT_EQ(std::to_string(control->catalog_version), expected["Catalog version number"]);
        EXPECT_EQ(to_string(control->state), expected["Database cluster state"]);
        EXPECT_EQ(control->checkpoint_lsn, parse_lsn(expected["Latest checkpoint location"]).value());
        EXPECT_EQ(control->checkpoint.redo, parse_lsn(expected["Latest checkpoint's REDO location"]).value());
        EXPECT_EQ(std::to_string(control->checkpoint.timeline), expected["Latest checkpoint's TimeLineID"]);
        EXPECT_EQ(std::to_string(control->checkpoint.previous_timeline), expected["Latest checkpoint's PrevTimeLineID"]);
        EXPECT_EQ(formatted("{}:{}", control->checkpoint.next_xid >> 32, control->checkpoint.next_xid & 0xFFFFFFFF),
                  expected["Latest checkpoint's NextXID"]);
        EXPECT_EQ(std::to_string(control->checkpoint.next_oid), expected["Latest checkpoint's NextOID"]);
        EXPECT_EQ(std::to_string(control->checkpoint.next_multixact), expected["Latest checkpoint's NextMultiXactId"]);
        EXPECT_EQ(std::to_string(control->checkpoint.oldest_xid), expected["Latest checkpoint's oldestXID"]);
        EXPECT_EQ(std::to_string(control->checkpoint.oldest_active_xid), expected["Latest checkpoint's oldestActiveXID"]);
        EXPECT_EQ(control->unlogged_lsn, parse_lsn(expected["Fake LSN counter for unlogged rels"]).value());
        EXPECT_EQ(control->min_recovery_point, parse_lsn(expected["Minimum recovery ending location"]).value());
        EXPECT_EQ(to_string(control->wal_level), expected["wal_level setting"]);
        EXPECT_EQ(control->wal_log_hints ? "on" : "off", expected["wal_log_hints setting"]);
        EXPECT_EQ(std::to_string(control->max_connections), expected["max_connections setting"]);
        EXPECT_EQ(std::to_string(control->max_locks_per_transaction), expected["max_locks_per_xact setting"]);
        EXPECT_EQ(std::to_string(control->page_size), expected["Database block size"]);
        EXPECT_EQ(std::to_string(control->wal_segment_size), expected["Bytes per WAL segment"]);
        EXPECT_TRUE(control->has_data_checksums());
        server.stop();
        EXPECT_EQ(read_control_file(server.data()).value().state, ClusterState::kShutDown);
    }
}

}  // namespace
}  // namespace steward
