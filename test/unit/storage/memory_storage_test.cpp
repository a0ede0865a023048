#include "core/storage/memory_storage.h"

#include "storage/storage_contract_test.h"

namespace steward {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, StorageContract, testing::Values(StorageUnderTest{[] {
                             static const SystemClock clock;
                             return std::make_shared<MemoryStorage>(clock);
                         }}));

class StoppedClock final : public Clock {
public:
    TimePoint now() const override { return TimePoint(std::chrono::hours(1000)); }
};

TEST(MemoryStorage, TakesTimesFromTheClockItIsGiven) {
    const StoppedClock clock;
    MemoryStorage storage(clock);
    ASSERT_TRUE(storage.put("k", {}, PutMode::kIfAbsent).ok());
    EXPECT_EQ((*storage.stat("k"))->modified, clock.now());
}

}  // namespace
}  // namespace steward
