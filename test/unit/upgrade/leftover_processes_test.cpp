#include "program/upgrade/leftover_processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/temporary_directory.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

/// Its waits take no time.
class LookingTimer final : public RetryTimer {
public:
    std::chrono::steady_clock::time_point now() override { return now_; }
    void wait(std::chrono::milliseconds duration, const CancelToken&) override {
        now_ += duration;
        if (on_wait) on_wait();
    }
    std::function<void()> on_wait;

private:
    std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
};

/// A process that is called "postgres" and works in the data directory; it sleeps.
class Postgres {
public:
    Postgres(const fs::path& program, const fs::path& directory, std::vector<std::string> arguments = {"postgres", "600"}) {
        // Its end of this pipe is closed by the exec, by which it has the program's name and is in the directory.
        int started[2];
        EXPECT_EQ(::pipe2(started, O_CLOEXEC), 0);
        std::vector<char*> words;
        for (std::string& argument : arguments) words.push_back(argument.data());
        words.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            if (::chdir(directory.c_str()) == 0) ::execv(program.c_str(), words.data());
            ::_exit(127);
        }
        ::close(started[1]);
        char byte;
        EXPECT_EQ(::read(started[0], &byte, 1), 0);
        ::close(started[0]);
    }
    ~Postgres() { end(SIGKILL); }

    pid_t pid() const { return pid_; }
    /// End it, or with signal 0 wait for its end. Returns the signal that ended it.
    int end(int signal) {
        if (pid_ == 0) return 0;
        if (signal != 0) ::kill(pid_, signal);
        int status = 0;
        EXPECT_EQ(::waitpid(std::exchange(pid_, 0), &status, 0) > 0, true);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }

private:
    pid_t pid_ = 0;
};

class LeftoverProcesses : public testing::Test {
protected:
    LeftoverProcesses() {
        fs::create_directories(places_.root);
        fs::create_directories(places_.data_directory);
        fs::copy_file("/bin/sleep", program_);
    }

    void lock_by(pid_t pid) const { std::ofstream(places_.data_directory / "postmaster.pid") << pid << "\n" << places_.data_directory.native() << "\n"; }
    Result<void> end_leftovers() { return end_leftover_processes(places_, timer_, never_.get_token()); }

    TemporaryDirectory scratch_;
    UpgradePlaces places_{fs::canonical(scratch_.path()) / "main"};
    fs::path program_ = scratch_.path() / "postgres";
    LookingTimer timer_;
    CancelSource never_;
};

TEST_F(LeftoverProcesses, HasNothingToDoWithoutAny) { EXPECT_TRUE(end_leftovers().ok()); }

TEST_F(LeftoverProcesses, KillsWhatWorksInTheWorkDirectory) {
    Postgres worker(program_, places_.root);
    EXPECT_TRUE(end_leftovers().ok());
    EXPECT_EQ(worker.end(0), SIGKILL);
}

TEST_F(LeftoverProcesses, LeavesAnOperatorsServerAlone) {
    const Postgres server(program_, places_.data_directory);
    lock_by(server.pid());
    timer_.on_wait = [] { FAIL() << "there is nothing to wait for"; };
    const Result<void> ended = end_leftovers();
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().code(), ErrorCode::busy);
    EXPECT_EQ(::kill(server.pid(), 0), 0);
}

TEST_F(LeftoverProcesses, ShutsDownAServerThatAnUpgradeHasStarted) {
    // "sleep" takes no words that are none: the mark is the name that it is called by.
    Postgres server(program_, places_.data_directory, {std::string(kUpgradeClusterName), "600"});
    lock_by(server.pid());
    EXPECT_EQ(find_left_server(places_.data_directory), server.pid());
    EXPECT_TRUE(end_leftovers().ok());
    EXPECT_EQ(server.end(0), SIGINT);
}

TEST_F(LeftoverProcesses, WaitsForAServerThatIsAboutToEnd) {
    // The postmaster has removed its lock, or was killed and has left it.
    for (const bool is_locked : {false, true}) {
        Postgres server(program_, places_.data_directory);
        if (is_locked) lock_by(Postgres(program_, places_.root).pid());
        int looks = 0;
        timer_.on_wait = [&] {
            if (++looks == 3) server.end(SIGTERM);
        };
        EXPECT_TRUE(end_leftovers().ok());
        EXPECT_EQ(looks, 3);
    }
}

TEST_F(LeftoverProcesses, DoesNotWaitForEver) {
    const Postgres server(program_, places_.data_directory);
    const Result<void> ended = end_leftovers();
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().code(), ErrorCode::busy);
    EXPECT_EQ(::kill(server.pid(), 0), 0);
}

}  // namespace
}  // namespace steward
