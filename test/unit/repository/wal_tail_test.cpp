#include "core/repository/wal_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/memory_repository.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(WalTailPieces, AreChainedAsFarAsTheyLead) {
    const std::vector<TailPiece> merged = {{0, 10}, {0, 30}, {10, 20}, {20, 30}, {30, 40}};
    EXPECT_THAT(chain_of(merged), ElementsAre(TailPiece{0, 30}, TailPiece{30, 40}));
    const std::vector<TailPiece> overlapping = {{0, 10}, {5, 25}, {8, 12}, {24, 30}, {31, 40}};
    EXPECT_THAT(chain_of(overlapping), ElementsAre(TailPiece{0, 10}, TailPiece{5, 25}, TailPiece{24, 30}));
    EXPECT_EQ(chain_end(overlapping), 30u);
    const std::vector<TailPiece> headless = {{1, 10}, {10, 20}};
    EXPECT_THAT(chain_of(headless), IsEmpty());
    EXPECT_EQ(chain_end(headless), 0u);
}

TEST(WalTailPieces, AreListedBySegmentAndWhatIsNoneIsLeftOut) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const Layout& layout = repository.layout();
    const std::string one = "000000010000000000000003", two = "000000010000000000000010";
    for (const std::string& key : {layout.wal_tail(one, 0, 0x1000), layout.wal_tail(one, 0x1000, 0x1800), layout.wal_tail(two, 0, 0x10),
                                   layout.wal_tail(two, 0, 2 * kTestIdentity.wal_segment_size), layout.wal_tail_prefix(one) + "00000000-xx",
                                   layout.wal_tail("nonsense", 0, 1)})
        store.overwrite(key, as_bytes("123"));
    const auto tails = list_wal_tails(repository);
    ASSERT_TRUE(tails.ok());
    ASSERT_EQ(tails->size(), 2u);
    EXPECT_EQ(tails->at(0).segment, (WalSegmentName{1, 3}));
    EXPECT_THAT(tails->at(0).pieces, ElementsAre(TailPiece{0, 0x1000}, TailPiece{0x1000, 0x1800}));
    EXPECT_EQ(tails->at(0).repository_bytes, 6u);
    EXPECT_THAT(tails->at(1).pieces, ElementsAre(TailPiece{0, 0x10}));
    EXPECT_EQ(list_tail_pieces(repository, one)->size(), 2u);
    EXPECT_TRUE(list_tail_pieces(repository, "000000010000000000000004")->empty());
}

}  // namespace
}  // namespace steward
