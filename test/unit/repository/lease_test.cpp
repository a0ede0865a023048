#include "core/repository/lease.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "repository/memory_repository.h"
#include "storage/hooked_storage.h"

namespace steward {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Time passes only where the test says so, or where somebody waits.
class LeaseTimer final : public RetryTimer {
public:
    std::chrono::steady_clock::time_point now() override { return now_; }
    void wait(std::chrono::milliseconds duration, const CancelToken&) override {
        now_ += duration;
        if (on_wait) on_wait();
    }
    void advance(std::chrono::milliseconds by) { now_ += by; }

    std::function<void()> on_wait;

private:
    std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
};

class LeaseTest : public ::testing::Test {
protected:
    /// A repository of its own on the one store, as another machine would have it.
    Repository open(HookedStorage::Before before = {}, HookedStorage::After after = {}) {
        return Repository::open_or_claim(std::make_unique<HookedStorage>(faulty_, std::move(before), std::move(after)), "main", kTestIdentity, local_).value();
    }

    LeaseOptions options(LeaseMode mode) {
        const bool shared = mode == LeaseMode::kShared;
        return {.mode = mode, .name = shared ? "backup-nightly" : "expire", .purpose = shared ? "backup \"nightly\"" : "expiry", .clock = local_,
                .timer = timer_, .renew_every = 0ms, .holder = {"far", 4711, "another machine", 1}};
    }

    std::vector<std::string> leases() {
        std::vector<std::string> keys;
        EXPECT_TRUE(for_each_object(store_, one_.layout().leases_prefix(), [&](const ObjectInfo& object) -> Result<void> {
                        keys.push_back(object.key);
                        return {};
                    }).ok());
        return keys;
    }

    SettableClock store_clock_;
    SettableClock local_{TimePoint(std::chrono::hours(1))};  // far off: only the store's counts
    MemoryStorage store_{store_clock_};
    FaultyStorage faulty_{store_};
    LeaseTimer timer_;
    const Repository one_ = open();
    const Repository other_ = open();
};

TEST_F(LeaseTest, SharedOnesDoNotStandInEachOthersWay) {
    const auto first = Lease::acquire(one_, options(LeaseMode::kShared));
    const auto second = Lease::acquire(other_, options(LeaseMode::kShared));
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_TRUE(first->check().ok() && second->check().ok());
    EXPECT_EQ(leases().size(), 2u);
}

TEST_F(LeaseTest, AnExclusiveOneToleratesNoOther) {
    for (const auto& [first, second] : {std::pair(LeaseMode::kShared, LeaseMode::kExclusive), std::pair(LeaseMode::kExclusive, LeaseMode::kShared),
                                        std::pair(LeaseMode::kExclusive, LeaseMode::kExclusive)}) {
        auto held = Lease::acquire(one_, options(first));
        ASSERT_TRUE(held.ok());
        const auto refused = Lease::acquire(other_, options(second));
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code(), ErrorCode::busy);
        EXPECT_THAT(refused.error().message(), HasSubstr(first == LeaseMode::kShared ? "is in use by backup \"nightly\"" : "is in use by expiry"));
        EXPECT_THAT(refused.error().detail(), HasSubstr("process 4711 on host \"far\""));
        EXPECT_EQ(leases().size(), 1u) << "who gives up leaves nothing";
        EXPECT_TRUE(held->check().ok());
        ASSERT_TRUE(held->release().ok());
        EXPECT_EQ(held->check().error().code(), ErrorCode::busy);
        EXPECT_TRUE(Lease::acquire(other_, options(second)).ok());
        EXPECT_TRUE(leases().empty()) << "released when it goes";
    }
}

/// Lets two threads make their calls in an order that is given: bit n of `order` says whose turn the n-th is.
class Turns {
public:
    explicit Turns(unsigned order) : order_(order) {}

    void begin(unsigned who) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return finished_[1 - who] || (order_ >> turn_ & 1) == who; });
    }
    void end() {
        const std::lock_guard lock(mutex_);
        turn_++;
        changed_.notify_all();
    }
    void finish(unsigned who) {
        const std::lock_guard lock(mutex_);
        finished_[who] = true;
        changed_.notify_all();
    }

private:
    const unsigned order_;
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned turn_ = 0;  // these two guarded by mutex_
    std::array<bool, 2> finished_{};
};

TEST_F(LeaseTest, InNoOrderOfCallsDoTwoHoldThatMustNot) {
    constexpr unsigned kCalls = 9;  // of both together until one of them holds or gives up: put, list, read, and once more remove
    int one_held = 0, none_held = 0;
    for (const auto& modes : {std::array{LeaseMode::kShared, LeaseMode::kExclusive}, std::array{LeaseMode::kExclusive, LeaseMode::kExclusive}})
        for (unsigned order = 0; order < 1u << kCalls; order++) {
            Turns turns(order);
            bool racing = false;
            std::vector<Repository> repositories;
            for (const unsigned who : {0u, 1u})
                repositories.push_back(open(
                    [&, who](StorageOperation, std::string_view) -> Result<void> {
                        if (racing) turns.begin(who);
                        return {};
                    },
                    [&](StorageOperation, std::string_view) {
                        if (racing) turns.end();
                    }));
            racing = true;
            std::array<std::optional<Result<Lease>>, 2> results;
            {
                std::vector<std::jthread> threads;
                for (const unsigned who : {0u, 1u})
                    threads.emplace_back([&, who] {
                        results[who] = Lease::acquire(repositories[who], options(modes[who]));
                        turns.finish(who);
                    });
            }
            racing = false;
            ASSERT_FALSE(results[0]->ok() && results[1]->ok()) << "order " << order;
            for (const auto& result : results) ASSERT_TRUE(result->ok() || result->error().code() == ErrorCode::busy) << result->error().to_string();
            ASSERT_EQ(leases().size(), static_cast<size_t>(results[0]->ok() || results[1]->ok()));
            (results[0]->ok() || results[1]->ok() ? one_held : none_held)++;
        }
    EXPECT_GT(one_held, 0);
    EXPECT_GT(none_held, 0) << "otherwise the orders do not differ";
}

TEST_F(LeaseTest, AStaleOneIsTakenAwayByTheStoresClock) {
    auto dead = Lease::acquire(one_, options(LeaseMode::kExclusive));
    ASSERT_TRUE(dead.ok());
    local_.advance(24h);
    store_clock_.advance(10min - 1us);
    EXPECT_EQ(Lease::acquire(other_, options(LeaseMode::kShared)).error().code(), ErrorCode::busy);
    store_clock_.advance(1us);
    const auto taken = Lease::acquire(other_, options(LeaseMode::kShared));
    ASSERT_TRUE(taken.ok()) << taken.error().to_string();
    EXPECT_EQ(leases().size(), 1u);
    EXPECT_EQ(dead->renew().error().code(), ErrorCode::busy);
    EXPECT_EQ(dead->check().error().code(), ErrorCode::busy);
}

TEST_F(LeaseTest, ARenewedOneIsFresh) {
    auto held = Lease::acquire(one_, options(LeaseMode::kShared));
    ASSERT_TRUE(held.ok());
    for (int i = 0; i < 5; i++) {
        store_clock_.advance(9min);
        timer_.advance(7min);
        ASSERT_TRUE(held->renew().ok());
        EXPECT_TRUE(held->check().ok());
        EXPECT_EQ(held->store_time(), store_clock_.now());
        EXPECT_EQ(Lease::acquire(other_, options(LeaseMode::kExclusive)).error().code(), ErrorCode::busy);
    }
}

TEST_F(LeaseTest, TheThreadRenewsIt) {
    SteadyRetryTimer timer;
    auto held = Lease::acquire(one_, {.mode = LeaseMode::kExclusive, .name = "expire", .purpose = "expiry", .clock = local_, .timer = timer, .renew_every = 1ms});
    ASSERT_TRUE(held.ok());
    store_clock_.advance(1min);
    while (held->store_time() != store_clock_.now()) std::this_thread::yield();
    EXPECT_TRUE(store_.remove(leases().at(0)).ok());
    // A renewal between its look and its put may bring the object back once.
    while (held->check().ok()) {
        for (const std::string& key : leases()) EXPECT_TRUE(store_.remove(key).ok());
        std::this_thread::yield();
    }
    EXPECT_EQ(held->check().error().code(), ErrorCode::busy);
}

TEST_F(LeaseTest, OneThatIsGoneIsLost) {
    auto held = Lease::acquire(one_, options(LeaseMode::kShared));
    ASSERT_TRUE(held.ok());
    ASSERT_TRUE(store_.remove(leases().at(0)).ok());
    EXPECT_TRUE(held->check().ok()) << "nobody has looked yet";
    EXPECT_EQ(held->renew().error().code(), ErrorCode::busy);
    EXPECT_EQ(held->check().error().code(), ErrorCode::busy);
    EXPECT_TRUE(leases().empty()) << "it does not come back";
}

TEST_F(LeaseTest, AHolderThatSleptTooLongLosesItAlthoughItsOwnClockSleptToo) {
    auto held = Lease::acquire(one_, options(LeaseMode::kExclusive));
    ASSERT_TRUE(held.ok());
    store_clock_.advance(10min);
    EXPECT_EQ(held->renew().error().code(), ErrorCode::busy);
    EXPECT_EQ(held->check().error().code(), ErrorCode::busy);
    EXPECT_TRUE(leases().empty());
}

TEST_F(LeaseTest, OneThatCannotBeRenewedEndsBeforeOthersTakeItForStale) {
    auto held = Lease::acquire(one_, options(LeaseMode::kShared));
    ASSERT_TRUE(held.ok());
    faulty_.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "no route to host"));
    timer_.advance(7min);
    EXPECT_EQ(held->renew().error().code(), ErrorCode::network);
    EXPECT_TRUE(held->check().ok());
    timer_.advance(30s);
    EXPECT_EQ(held->check().error().code(), ErrorCode::busy);
    EXPECT_THAT(held->check().error().detail(), HasSubstr("no route to host"));
}

TEST_F(LeaseTest, OneOfAProcessThatIsGoneCountsForNothing) {
    ProcessMark child = mark_of_this_process();
    if (child.place.empty()) GTEST_SKIP() << "no /proc here";
    EXPECT_FALSE(is_provably_gone(child));
    child.started++;
    EXPECT_TRUE(is_provably_gone(child)) << "the id was given to another process";
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
    child.pid = pid;
    auto dead = options(LeaseMode::kExclusive);
    dead.holder = child;
    const auto abandoned = Lease::acquire(one_, dead);
    ASSERT_TRUE(abandoned.ok());
    EXPECT_TRUE(Lease::acquire(other_, options(LeaseMode::kShared)).ok());

    child.place += "elsewhere";
    EXPECT_FALSE(is_provably_gone(child));
}

TEST_F(LeaseTest, PatienceWaitsForOthers) {
    std::optional<Lease> held = std::move(Lease::acquire(one_, options(LeaseMode::kExclusive))).value();
    auto patient = options(LeaseMode::kShared);
    patient.patience = 1h;
    int waits = 0;
    timer_.on_wait = [&] {
        if (++waits == 3) held.reset();
    };
    EXPECT_TRUE(Lease::acquire(other_, patient).ok());
    EXPECT_EQ(waits, 3);

    held = std::move(Lease::acquire(one_, options(LeaseMode::kExclusive))).value();
    waits = -10'000;
    EXPECT_EQ(Lease::acquire(other_, patient).error().code(), ErrorCode::busy);
    EXPECT_GT(waits, -10'000 + 1000);
}

TEST_F(LeaseTest, AFailureAnywhereWhileItIsTakenLeavesNone) {
    for (const Fault fault : {Fault::kRefused, Fault::kLostAnswer})
        for (const StorageOperation operation : {StorageOperation::kPut, StorageOperation::kList}) {
            faulty_.fail(operation, faulty_.calls(operation) + 1, Error(ErrorCode::network, "no route to host"), fault);
            EXPECT_EQ(Lease::acquire(one_, options(LeaseMode::kExclusive)).error().code(), ErrorCode::network);
            EXPECT_TRUE(leases().empty());
            EXPECT_TRUE(Lease::acquire(one_, options(LeaseMode::kExclusive)).ok());
        }
}

TEST_F(LeaseTest, ADamagedOneStandsUntilItIsStale) {
    auto held = Lease::acquire(one_, options(LeaseMode::kExclusive));
    ASSERT_TRUE(held.ok());
    const Bytes junk(10, std::byte{7});
    const ByteView parts[] = {junk};
    ASSERT_TRUE(store_.put(leases().at(0), parts, PutMode::kReplace).ok());
    EXPECT_EQ(Lease::acquire(other_, options(LeaseMode::kShared)).error().code(), ErrorCode::busy);
    store_clock_.advance(10min);
    EXPECT_TRUE(Lease::acquire(other_, options(LeaseMode::kShared)).ok());
}

}  // namespace
}  // namespace steward
