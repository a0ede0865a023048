#include "core/proof/scratch_directory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "base/temporary_directory.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

class ScratchDirectoryTest : public ::testing::Test {
protected:
    fs::path scratch() const { return parent_.path() / kScratchName; }
    ErrorCode refusal() const {
        auto claimed = ScratchDirectory::claim(parent_.path());
        return claimed.ok() ? ErrorCode::internal : claimed.error().code();
    }

    TemporaryDirectory parent_;
};

TEST_F(ScratchDirectoryTest, IsThereWhileItIsHeldAndLeavesNothing) {
    {
        auto claimed = ScratchDirectory::claim(parent_.path());
        ASSERT_TRUE(claimed.ok());
        EXPECT_TRUE(fs::is_directory(claimed->socket_directory()));
        EXPECT_EQ(fs::status(claimed->socket_directory()).permissions(), fs::perms::owner_all);
        fs::create_directories(claimed->data_directory() / "base/5");
        std::ofstream(claimed->data_directory() / "base/5/1259") << "x";
    }
    EXPECT_TRUE(fs::is_empty(parent_.path()));
}

TEST_F(ScratchDirectoryTest, KeepsItsContentUntilToldOtherwiseAndWhenItIsLeft) {
    constexpr ScratchUse kUse = {"rehearsal", "Wait.", "go elsewhere"};
    const fs::path place = parent_.path() / "main.rehearsal";
    {
        auto taken = ScratchDirectory::take(place, kUse);
        ASSERT_TRUE(taken.ok());
        std::ofstream(taken->file("one")) << "x";
        std::ofstream(taken->file("other")) << "x";
        auto second = ScratchDirectory::take(place, kUse);
        ASSERT_FALSE(second.ok());
        EXPECT_EQ(second.error().detail(), "Another rehearsal runs there.");
        taken->leave();
    }
    {
        auto taken = ScratchDirectory::take(place, kUse);
        ASSERT_TRUE(taken.ok());
        ASSERT_TRUE(taken->remove_content("other").ok());
        EXPECT_FALSE(fs::exists(place / "one"));
        EXPECT_TRUE(fs::exists(place / "other"));
    }
    EXPECT_FALSE(fs::exists(place));
}

TEST_F(ScratchDirectoryTest, RemovesWhatAKilledDrillHasLeft) {
    fs::create_directories(scratch() / "data/base");
    std::ofstream(scratch() / kScratchMarker) << "";
    fs::create_directory_symlink(parent_.path(), scratch() / "data/link");
    std::ofstream(parent_.path() / "kept") << "x";
    auto claimed = ScratchDirectory::claim(parent_.path());
    ASSERT_TRUE(claimed.ok());
    EXPECT_FALSE(fs::exists(claimed->data_directory()));
    EXPECT_TRUE(claimed->remove().ok());
    EXPECT_FALSE(fs::exists(scratch()));
    EXPECT_TRUE(fs::exists(parent_.path() / "kept")) << "links are not followed";
}

TEST_F(ScratchDirectoryTest, TakesAnEmptyDirectoryForOneThatWasKilledAtOnce) {
    fs::create_directory(scratch());
    EXPECT_TRUE(ScratchDirectory::claim(parent_.path()).ok());
}

TEST_F(ScratchDirectoryTest, NeverTouchesADirectoryWithoutTheMarker) {
    fs::create_directories(scratch() / "data");
    EXPECT_EQ(refusal(), ErrorCode::wrong_state);
    EXPECT_TRUE(fs::exists(scratch() / "data"));
    EXPECT_FALSE(fs::exists(scratch() / kScratchMarker));
}

TEST_F(ScratchDirectoryTest, FollowsNoLinkInItsPlace) {
    const TemporaryDirectory elsewhere;
    fs::create_directory_symlink(elsewhere.path(), scratch());
    EXPECT_EQ(refusal(), ErrorCode::wrong_state);
    EXPECT_TRUE(fs::is_empty(elsewhere.path()));
}

TEST_F(ScratchDirectoryTest, IsForOneDrillAtATime) {
    std::optional first(ScratchDirectory::claim(parent_.path()).value());
    EXPECT_EQ(refusal(), ErrorCode::busy);
    EXPECT_TRUE(fs::exists(scratch() / kScratchMarker));
    first.reset();
    EXPECT_TRUE(ScratchDirectory::claim(parent_.path()).ok());
}

TEST_F(ScratchDirectoryTest, WantsADirectoryOfTheOperatorWithAPathShortEnoughForASocket) {
    EXPECT_EQ(ScratchDirectory::claim(parent_.path() / "missing").error().code(), ErrorCode::configuration);
    const fs::path deep = parent_.path() / std::string(80, 'd');
    fs::create_directory(deep);
    EXPECT_EQ(ScratchDirectory::claim(deep).error().code(), ErrorCode::configuration);
    EXPECT_TRUE(fs::is_empty(deep));
}

}  // namespace
}  // namespace steward
