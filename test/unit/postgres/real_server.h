// A throwaway PostgreSQL cluster, made with whatever server is installed, to check our reading of its files against it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace steward {

struct InstalledServer {
    int major = 0;
    std::filesystem::path bin;
};

/// Every major under Debian's directory that has what a cluster needs, oldest first.
inline std::vector<InstalledServer> installed_servers() {
    std::vector<InstalledServer> servers;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
        const auto bin = entry.path() / "bin";
        const int major = std::atoi(entry.path().filename().c_str());
        const bool complete = std::filesystem::exists(bin / "initdb") && std::filesystem::exists(bin / "pg_ctl") &&
                              std::filesystem::exists(bin / "psql") && std::filesystem::exists(bin / "pg_waldump");
        if (major >= 13 && complete) servers.push_back({major, bin});
    }
    std::sort(servers.begin(), servers.end(), [](const auto& a, const auto& b) { return a.major < b.major; });
    return servers;
}

/// Skip a test that needs a server, loudly.
#define REQUIRE_REAL_SERVERS(servers)                                                                       \
    if ((servers).empty()) {                                                                                \
        std::cerr << "*** SKIPPED: no PostgreSQL server under /usr/lib/postgresql to check against ***\n";  \
        GTEST_SKIP() << "SKIPPED: no PostgreSQL server under /usr/lib/postgresql to check against";         \
    }

/// One cluster in a directory of its own, that goes with it. PostgreSQL refuses to run as root: then it runs as `postgres`.
class RealServer {
public:
    explicit RealServer(InstalledServer installed, const std::string& initdb_options = "") : installed_(std::move(installed)) {
        char pattern[] = "/tmp/steward-test-XXXXXX";
        directory_ = ::mkdtemp(pattern);
        if (::geteuid() == 0) run_as_self("chown postgres " + directory_.native());
        run(program("initdb") + " -D " + data().native() + " -N -A trust -U postgres " + initdb_options);
    }
    RealServer(const RealServer&) = delete;
    ~RealServer() {
        if (running_) stop("immediate");
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    int major() const { return installed_.major; }
    std::filesystem::path data() const { return directory_ / "data"; }
    std::string program(const std::string& name) const { return (installed_.bin / name).native(); }

    void start(const std::string& settings = "") {
        run(program("pg_ctl") + " -w -D " + data().native() + " -l " + (directory_ / "log").native() +
            " -o \"-c listen_addresses='' -k " + directory_.native() + " -c fsync=off " + settings + "\" start");
        running_ = true;
    }
    void stop(const std::string& mode = "fast") {
        run(program("pg_ctl") + " -w -D " + data().native() + " -m " + mode + " stop");
        running_ = false;
    }

    /// Run SQL, one call a transaction; returns unaligned rows.
    std::string sql(const std::string& statement) const {
        return run(program("psql") + " -X -q -A -t -v ON_ERROR_STOP=1 -U postgres -h " + directory_.native() + " -c \"" +
                   statement + "\" postgres");
    }

    /// Run a shell command as the server's user; a failure fails the test. Returns its standard output without the last newline.
    std::string run(const std::string& command) const {
        return run_as_self(::geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --init-groups -- " + command : command);
    }

private:
    std::string run_as_self(const std::string& command) const {
        std::string output;
        const auto errors = directory_ / "errors";
        FILE* pipe = ::popen(("cd / && LC_ALL=C TZ=UTC " + command + " 2>" + errors.native()).c_str(), "r");
        char buffer[4096];
        for (size_t n; (n = ::fread(buffer, 1, sizeof buffer, pipe)) != 0;) output.append(buffer, n);
        const int status = ::pclose(pipe);
        EXPECT_EQ(status, 0) << command << "\n" << output;
        if (status != 0) static_cast<void>(std::system(("cat " + errors.native()).c_str()));
        while (!output.empty() && output.back() == '\n') output.pop_back();
        return output;
    }

    InstalledServer installed_;
    std::filesystem::path directory_;
    bool running_ = false;
};

}  // namespace steward
