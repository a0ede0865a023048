#include "program/verbs/prefetch_process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "program/open_repositories.h"

namespace steward {

namespace {

void leave_the_server() {
    ::setsid();
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(nowhere, fd);
    // The server waits for the end of its pipes, not only for the process.
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
}

void prefetch(WalSpool& spool, const Settings& settings, std::optional<uint64_t> system_identifier) {
    const SystemClock clock;
    SteadyRetryTimer timer;
    const CancelSource never;
    ReadingContext context{clock, timer, never.get_token()};
    context.system_identifier = system_identifier;
    const auto opened = open_repositories_for_reading(settings, context);
    // Whatever goes wrong here, the next request meets it as well and can say so.
    if (opened.ok()) static_cast<void>(prefetch_wal(spool, opened->repositories, {}, never.get_token()));
}

}  // namespace

void start_prefetcher(WalSpool& spool, WalSegmentName asked, const Settings& settings, std::optional<uint64_t> system_identifier) {
    if (!spool.wants_more(asked, PrefetchWindow{})) return;
    const pid_t child = ::fork();
    if (child == 0) {
        // The second fork makes the prefetcher a child of init, so that nobody has to wait for it.
        if (::fork() != 0) ::_exit(0);
        leave_the_server();
        prefetch(spool, settings, system_identifier);
        ::_exit(0);
    }
    while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace steward
