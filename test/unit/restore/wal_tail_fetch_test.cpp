#include "core/restore/wal_tail_fetch.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/repository/wal_tail.h"
#include "restore/restore_fixture.h"
#include "storage/faulty_storage.h"

namespace steward {
namespace {

/// Calls `after_list` after each listing: a repository that changes while it is read.
class RestlessStorage final : public StorageOfTest {
public:
    using StorageOfTest::StorageOfTest;
    Result<ListPage> list(std::string_view prefix, std::string_view page, size_t limit) override {
        Result<ListPage> found = StorageOfTest::list(prefix, page, limit);
        if (after_list) after_list();
        return found;
    }

    std::function<void()> after_list;
};

class FetchWalTail : public ::testing::Test {
protected:
    FetchWalTail() : storage_(clock_), second_storage_(clock_), restless_(storage_), faulty_(second_storage_) {
        repositories_.push_back(open_restore_repository(restless_));
        repositories_.push_back(open_restore_repository(faulty_));
    }

    static constexpr const char* kName = "000000010000000000000005";
    static std::byte byte_at(size_t position) { return static_cast<std::byte>(position * 7 + position / 251 + 1); }
    static Bytes segment_up_to(uint32_t end) {
        Bytes content(kRestoreSegmentSize, std::byte{0});
        for (size_t i = 0; i < end; ++i) content[i] = byte_at(i);
        return content;
    }
    std::string key(size_t repository, uint32_t begin, uint32_t end) const { return repositories_[repository].layout().wal_tail(kName, begin, end); }
    void put(size_t repository, uint32_t begin, uint32_t end) {
        const BuiltObject object = build_object(ObjectKind::kWalTail, kRestoreIdentity.system_identifier,
                                                ByteView(segment_up_to(end)).subspan(begin, end - begin), {Codec::kZstd, 1});
        ASSERT_TRUE(repositories_[repository].store(key(repository, begin, end), object, ObjectKind::kWalTail).ok());
    }
    void remove(size_t repository, uint32_t begin, uint32_t end) {
        ASSERT_TRUE(repositories_[repository].storage().remove(key(repository, begin, end)).ok());
    }
    void damage(Storage& storage, const std::string& at) {
        Bytes object = read_object(storage, at, 1 << 30).value();
        object.back() ^= std::byte{1};
        const ByteView parts[] = {object};
        ASSERT_TRUE(storage.put(at, parts, PutMode::kReplace).ok());
    }
    void put_history(TimelineId timeline, const std::string& text) {
        put_wal(repositories_[1], timeline_history_name(timeline), as_bytes(text), ObjectKind::kTimelineHistory);
    }
    void expect_tail(uint32_t end) {
        const auto segment = fetch_segment(repositories_, kName);
        ASSERT_TRUE(segment.ok()) << segment.error().to_string();
        ASSERT_TRUE(segment->has_value());
        EXPECT_EQ((*segment)->tail_end, end);
        EXPECT_EQ((*segment)->content, segment_up_to(end));
    }

    SystemClock clock_;
    MemoryStorage storage_;
    MemoryStorage second_storage_;
    RestlessStorage restless_;
    FaultyStorage faulty_;
    std::vector<Repository> repositories_;
};

TEST_F(FetchWalTail, PutsPiecesTogetherAndFillsUpWithZeros) {
    put(0, 0, 100);
    put(0, 100, 9000);
    expect_tail(9000);
}

TEST_F(FetchWalTail, EndsAtTheFirstHole) {
    put(0, 0, 100);
    put(0, 200, 300);
    expect_tail(100);
}

TEST_F(FetchWalTail, FindsNothingWithoutThePieceAtTheBeginning) {
    put(0, 100, 200);
    EXPECT_FALSE(fetch_segment(repositories_, kName).value().has_value());
}

TEST_F(FetchWalTail, FillsHolesFromTheOtherRepository) {
    put(0, 0, 100);
    put(1, 0, 150);
    put(0, 100, 200);
    put(1, 170, 300);
    expect_tail(300);
}

TEST_F(FetchWalTail, PrefersTheWholeSegment) {
    put(0, 0, 100);
    put_wal(repositories_[1], kName, empty_segment());
    const auto segment = fetch_segment(repositories_, kName);
    ASSERT_TRUE(segment.ok() && segment->has_value());
    EXPECT_FALSE((*segment)->tail_end);
    EXPECT_EQ((*segment)->content, empty_segment());
}

TEST_F(FetchWalTail, ReplacesADamagedPieceByAnotherAndIsAnErrorWithoutOne) {
    put(0, 0, 100);
    put(0, 100, 200);
    put(1, 0, 100);
    put(1, 100, 200);
    damage(storage_, key(0, 100, 200));
    expect_tail(200);
    damage(second_storage_, key(1, 100, 200));
    const auto segment = fetch_segment(repositories_, kName);
    ASSERT_FALSE(segment.ok()) << "recovery that ends before it would lose it in silence";
    EXPECT_EQ(segment.error().code(), ErrorCode::corrupt_object);
}

TEST_F(FetchWalTail, IsAnErrorWhenARepositoryCannotBeAsked) {
    put(0, 0, 100);
    faulty_.fail_always(StorageOperation::kList, Error(ErrorCode::network, "no route"));
    EXPECT_EQ(fetch_segment(repositories_, kName).error().code(), ErrorCode::network);
    faulty_.heal();
    faulty_.fail_always(StorageOperation::kRead, Error(ErrorCode::network, "no route"));
    EXPECT_EQ(fetch_segment(repositories_, kName).error().code(), ErrorCode::network);
}

TEST_F(FetchWalTail, TakesTheWholeSegmentThatTookThePiecesPlace) {
    put(0, 0, 100);
    put(0, 100, 200);
    restless_.after_list = [this] {
        restless_.after_list = nullptr;
        put_wal(repositories_[0], kName, empty_segment());
        remove(0, 0, 100);
        remove(0, 100, 200);
    };
    const auto segment = fetch_segment(repositories_, kName);
    ASSERT_TRUE(segment.ok() && segment->has_value());
    EXPECT_FALSE((*segment)->tail_end);
}

TEST_F(FetchWalTail, LooksAgainWhenPiecesWereMerged) {
    put(0, 0, 100);
    put(0, 100, 200);
    restless_.after_list = [this] {
        restless_.after_list = nullptr;
        put(0, 0, 200);
        remove(0, 0, 100);
        remove(0, 100, 200);
    };
    expect_tail(200);
}

TEST_F(FetchWalTail, CutsATailWhereTheTimelineThatIsFollowedForkedOff) {
    const Lsn start = start_lsn(5, kRestoreSegmentSize);
    const WalSegmentName segment{1, 5};
    EXPECT_EQ(tail_limit(repositories_, segment, std::nullopt).value(), kRestoreSegmentSize);
    put_history(2, "1\t" + to_string(start + 300) + "\ttest\n");
    put_history(3, "1\t" + to_string(start + 300) + "\ttest\n2\t" + to_string(start + 700) + "\ttest\n");
    EXPECT_EQ(tail_limit(repositories_, segment, std::nullopt).value(), 300u);
    EXPECT_EQ(tail_limit(repositories_, {2, 5}, std::nullopt).value(), 700u);
    EXPECT_EQ(tail_limit(repositories_, {3, 5}, std::nullopt).value(), kRestoreSegmentSize);
    EXPECT_EQ(tail_limit(repositories_, {1, 6}, std::nullopt).value(), 0u);
    EXPECT_EQ(tail_limit(repositories_, {1, 4}, std::nullopt).value(), kRestoreSegmentSize);
    EXPECT_EQ(tail_limit(repositories_, segment, 1).value(), kRestoreSegmentSize) << "the target is on the old timeline";
    EXPECT_EQ(tail_limit(repositories_, segment, 2).value(), 300u);
    EXPECT_EQ(tail_limit(repositories_, {2, 5}, 1).value(), kRestoreSegmentSize);
}

}  // namespace
}  // namespace steward
