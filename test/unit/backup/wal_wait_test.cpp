#include "core/backup/wal_wait.h"

#include <gtest/gtest.h>

#include "core/repository/gap_ledger.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

constexpr uint64_t kMb = 1024 * 1024;
constexpr uint32_t kSize = kTestIdentity.wal_segment_size;

std::string segment(uint64_t number, uint32_t timeline = 1) { return to_string(WalSegmentName{timeline, number}, kSize); }

class GivenUpForABackup : public testing::Test {
protected:
    GivenUpForABackup() {
        repositories_.push_back(store_.claim(kTestIdentity));
        repositories_.push_back(second_store_.claim(kTestIdentity));
    }
    void enter(uint64_t first, uint64_t end, GapReason reason) {
        for (const Repository& repository : repositories_)
            ASSERT_TRUE(record_gap(repository, {1, {first * kMb}, {end * kMb}, reason, {}, {}}).ok());
    }
    void store(size_t repository, uint64_t number) {
        const Bytes content(kSize, std::byte{1});
        const Repository& to = repositories_[repository];
        ASSERT_TRUE(to.store(to.layout().wal(segment(number)), build_object(ObjectKind::kWalSegment, kTestIdentity.system_identifier, content, {}),
                             ObjectKind::kWalSegment)
                        .ok());
    }

    MemoryStore store_, second_store_;
    std::vector<Repository> repositories_;
};

TEST_F(GivenUpForABackup, IsASegmentOfTheLedgerThatIsNotStored) {
    enter(3, 5, GapReason::kDropped);
    for (const uint64_t inside : {3u, 4u}) {
        const Result<void> checked = check_not_given_up(repositories_, segment(inside));
        ASSERT_FALSE(checked.ok());
        EXPECT_EQ(checked.error().code(), ErrorCode::missing_wal);
        EXPECT_NE(checked.error().message().find(segment(inside)), std::string::npos);
    }
    EXPECT_TRUE(check_not_given_up(repositories_, segment(2)).ok());
    EXPECT_TRUE(check_not_given_up(repositories_, segment(5)).ok());
    EXPECT_TRUE(check_not_given_up(repositories_, segment(3, 2)).ok());
    EXPECT_TRUE(check_not_given_up(repositories_, "00000002.history").ok());
}

TEST_F(GivenUpForABackup, IsNotWhatIsStoredInEveryRepositoryAfterAll) {
    enter(3, 4, GapReason::kDropped);
    store(0, 3);
    EXPECT_FALSE(check_not_given_up(repositories_, segment(3)).ok()) << "the second one lacks it";
    store(1, 3);
    EXPECT_TRUE(check_not_given_up(repositories_, segment(3)).ok());
}

TEST_F(GivenUpForABackup, IsNotWhatIsMerelyMissing) {
    enter(3, 4, GapReason::kMissing);
    EXPECT_TRUE(check_not_given_up(repositories_, segment(3)).ok());
}

}  // namespace
}  // namespace steward
