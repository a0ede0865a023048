#include "program/upgrade/full_disk.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/temporary_directory.h"

namespace steward {
namespace {

TEST(FullDisk, IsNamedByWhatAProgramSays) {
    EXPECT_TRUE(names_full_disk("initdb: error: could not write file \"global/pg_control\": No space left on device\n"));
    EXPECT_TRUE(names_full_disk("could not extend file \"base/5/16384\": Disk quota exceeded"));
    EXPECT_TRUE(names_full_disk("ERROR:  could not extend file \"base/1/2675\": wrote only 4096 of 8192 bytes at block 3\nHINT:  Check free disk space.\n"));
    EXPECT_FALSE(names_full_disk("could not open file \"base/5/16384\": No such file or directory"));
}

TEST(FullDisk, IsToldInsteadOfTheProgramThatItFailed) {
    const TemporaryDirectory roomy;
    Error error = Error(ErrorCode::server_raised, "pg_upgrade from 13 to 18 failed").detail("It says: No space left on device").hint("Look.").object("log").context("while trying");
    const Error blamed = blame_full_disk(std::move(error), {roomy.path()});
    EXPECT_EQ(blamed.code(), ErrorCode::no_space);
    EXPECT_EQ(blamed.message(), "pg_upgrade from 13 to 18 failed: the disk is full");
    EXPECT_EQ(blamed.detail(), "It says: No space left on device");
    EXPECT_EQ(blamed.object(), "log");
    EXPECT_EQ(blamed.context(), std::vector<std::string>{"while trying"});
    EXPECT_NE(blamed.hint().find("Make room, and"), std::string::npos) << blamed.hint();
}

TEST(FullDisk, IsNotBlamedForOtherFailures) {
    const TemporaryDirectory roomy;
    EXPECT_EQ(blame_full_disk(Error(ErrorCode::server_raised, "initdb failed").detail("invalid locale"), {roomy.path(), "/not/there"}).code(), ErrorCode::server_raised);
    // A difference between the clusters stays one, whatever its text is.
    EXPECT_EQ(blame_full_disk(Error(ErrorCode::wrong_state, "it differs").detail("No space left on device"), {roomy.path()}).code(), ErrorCode::wrong_state);
}

}  // namespace
}  // namespace steward
