#include "core/permissions/change_list.h"

#include <gtest/gtest.h>

namespace steward {

namespace {

const RightsChange kGiven{"/data/base/1", {0, 0, 04755}, {100, 10, 0600}, 7, 8};

}  // namespace

TEST(ChangeList, ReadsBackWhatItWrites) {
    RightsChange change = kGiven;
    for (const char* path : {"/data/base/1", "/a b/\\n\n\r\\", "/\xff\xfe", "/ "}) {
        change.path = path;
        std::string line = render_change(change);
        ASSERT_EQ(line.find('\n'), line.size() - 1) << "one line";
        line.pop_back();
        const Result<RightsChange> read = parse_change(line);
        ASSERT_TRUE(read.ok()) << line;
        EXPECT_EQ(*read, change);
    }
}

TEST(ChangeList, RefusesWhatIsNoChange) {
    for (const char* line : {"", "1 2 0600 1 2 0600 1 1 relative", "1 2 0600 1 2 0600 1 /x", "1 2 0800 1 2 0600 1 1 /x", "1 2 17777 1 2 0600 1 1 /x",
                             "-1 2 0600 1 2 0600 1 1 /x", "1 2 0600 1 2 0600 1 1 /x\\", "1 2 0600 1 2 0600 1 1 /x\\t", "1 2 0600 1 2 0600 1 1"}) {
        const Result<RightsChange> read = parse_change(line);
        ASSERT_FALSE(read.ok()) << line;
        EXPECT_EQ(read.error().code(), ErrorCode::corrupt_object);
    }
}

TEST(ChangeList, FitsAFileBeforeBetweenAndAfter) {
    for (const FileRights& rights : {FileRights{0, 0, 04755}, {100, 10, 0755}, {100, 10, 0600}}) {
        EXPECT_TRUE(kGiven.fits(rights));
        EXPECT_TRUE(kGiven.reversed().fits(rights));
    }
    for (const FileRights& rights : {FileRights{0, 0, 0644}, {100, 0, 0600}, {200, 10, 0600}}) EXPECT_FALSE(kGiven.fits(rights));
}

TEST(ChangeList, IsTakenBackByItsReverse) {
    EXPECT_EQ(kGiven.reversed().before, kGiven.after);
    EXPECT_EQ(kGiven.reversed().reversed(), kGiven);
}

}  // namespace steward
