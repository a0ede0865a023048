#include "core/archive/ready_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"

namespace steward {
namespace {

using Names = std::vector<std::string>;

TEST(ReadyFiles, AreSortedWithHistoriesFirstThenTheOldest) {
    Names names = {"000000020000000000000004", "000000010000000000000005", "00000003.history", "000000010000000000000005.00000028.backup",
                   "000000010000000000000004.partial", "000000010000000000000004", "00000002.history"};
    sort_for_archiving(names);
    EXPECT_EQ(names, (Names{"00000002.history", "00000003.history", "000000010000000000000004", "000000010000000000000004.partial",
                            "000000010000000000000005", "000000010000000000000005.00000028.backup", "000000020000000000000004"}));
}

TEST(ReadyFiles, AreThoseMarkedReadyThatAreWal) {
    const TemporaryDirectory directory;
    for (const char* name : {"000000010000000000000005.ready", "000000010000000000000004.ready", "000000010000000000000003.done", "00000002.history.ready",
                             "notes.ready", ".ready", "000000010000000000000006", "00000001000000000000000g.ready"})
        std::ofstream(directory.path() / name);
    EXPECT_EQ(*list_ready_files(directory.path()), (Names{"00000002.history", "000000010000000000000004", "000000010000000000000005"}));
}

TEST(ReadyFiles, OfADirectoryThatIsMissingAreAnError) {
    const TemporaryDirectory directory;
    const auto ready = list_ready_files(directory.path() / "archive_status");
    ASSERT_FALSE(ready.ok());
    EXPECT_EQ(ready.error().code(), ErrorCode::not_found);
    EXPECT_EQ(ready.error().object(), (directory.path() / "archive_status").native());
}

}  // namespace
}  // namespace steward
