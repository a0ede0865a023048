#include "core/postgres/wal_name.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

constexpr uint32_t kMegabyte = 1024 * 1024;

TEST(WalName, FollowsTheSegmentSize) {
    EXPECT_EQ(to_string(WalSegmentName{1, 3}, 16 * kMegabyte), "000000010000000000000003");
    EXPECT_EQ(to_string(WalSegmentName{0x2A, 0x100}, 16 * kMegabyte), "0000002A0000000100000000");
    EXPECT_EQ(to_string(WalSegmentName{1, 5}, 1024 * kMegabyte), "000000010000000100000001");
    for (const uint32_t size : {kMegabyte, 16 * kMegabyte, 64 * kMegabyte, 1024 * kMegabyte}) {
        for (const uint64_t number : {uint64_t{0}, uint64_t{3}, uint64_t{4095}, uint64_t{123456}}) {
            const WalSegmentName name{7, number};
            EXPECT_EQ(parse_wal_segment_name(to_string(name, size), size).value(), name);
        }
    }
}

TEST(WalName, RefusesNamesThatCannotExist) {
    EXPECT_TRUE(parse_wal_segment_name("0000000100000000000000FF", 16 * kMegabyte).ok());
    for (const char* text : {"000000010000000000000100", "000000000000000000000001", "00000001000000000000000",
                             "00000001000000000000000g", "00000001000000000000000a", "", "000000010000000000000001.partial"})
        EXPECT_FALSE(parse_wal_segment_name(text, 16 * kMegabyte).ok()) << text;
    EXPECT_FALSE(parse_wal_segment_name("000000010000000000000001", 3 * kMegabyte).ok());
}

TEST(WalName, KnowsSegmentSizes) {
    EXPECT_TRUE(is_valid_wal_segment_size(kMegabyte));
    EXPECT_TRUE(is_valid_wal_segment_size(1024 * kMegabyte));
    EXPECT_FALSE(is_valid_wal_segment_size(0));
    EXPECT_FALSE(is_valid_wal_segment_size(kMegabyte / 2));
    EXPECT_FALSE(is_valid_wal_segment_size(uint64_t{2048} * kMegabyte));
    EXPECT_FALSE(is_valid_wal_segment_size(17 * kMegabyte));
}

TEST(WalName, FindsSegmentsOfPositions) {
    EXPECT_EQ(segment_of(Lsn{0x3000000}, 16 * kMegabyte), 3u);
    EXPECT_EQ(segment_before(Lsn{0x3000000}, 16 * kMegabyte), 2u);
    EXPECT_EQ(segment_before(Lsn{0x3000001}, 16 * kMegabyte), 3u);
    EXPECT_EQ(start_lsn(3, 16 * kMegabyte), Lsn{0x3000000});
    EXPECT_EQ((WalSegmentName{2, 3}.next()), (WalSegmentName{2, 4}));
}

TEST(WalName, ClassifiesTheFilesOfPgWal) {
    EXPECT_EQ(classify_wal_file("000000010000000000000003"), WalFileKind::kSegment);
    EXPECT_EQ(classify_wal_file("000000010000000000000003.partial"), WalFileKind::kPartialSegment);
    EXPECT_EQ(classify_wal_file("00000002.history"), WalFileKind::kTimelineHistory);
    EXPECT_EQ(classify_wal_file("000000010000000000000003.00000028.backup"), WalFileKind::kBackupHistory);
    for (const char* name : {"", "archive_status", "xlogtemp.123", "000000010000000000000003.backup", "0000002.history",
                             "00000002.History", "000000010000000000000003.00000028.backup.ready", "00000001000000000000000a"})
        EXPECT_EQ(classify_wal_file(name), std::nullopt) << name;
}

}  // namespace
}  // namespace steward
