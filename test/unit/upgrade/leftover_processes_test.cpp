#include "program/upgrade/leftover_processes.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
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
        std::vector<char*> words;
        for (std::string& argument : arguments) words.push_back(argument.data());
        words.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::signal(SIGINT, SIG_DFL);  // which a shell's background jobs ignore
            if (::chdir(directory.c_str()) == 0) ::execv(program.c_str(), words.data());
            ::_exit(127);
        }
        // The last thing that an exec brings about are the words.
        std::string seen;
        int status = 0;
        while (seen.rfind(arguments.front(), 0) != 0) {
            if (::waitpid(pid_, &status, WNOHANG) != 0) throw std::runtime_error("it ended with status " + std::to_string(status));
            std::ifstream file("/proc/" + std::to_string(pid_) + "/cmdline");
            seen.assign(std::istreambuf_iterator<char>(file), {});
        }
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
    ASSERT_TRUE(end_leftovers().ok());
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
    const pid_t pid = server.pid();
    lock_by(pid);
    EXPECT_EQ(find_left_server(places_.data_directory), pid);
    // Its lock names it until its end has been collected.
    timer_.on_wait = [&] { EXPECT_EQ(server.end(0), SIGINT); };
    EXPECT_TRUE(end_leftovers().ok());
    EXPECT_NE(::kill(pid, 0), 0);
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
