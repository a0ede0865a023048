#include "program/niceness.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "core/base/bytes.h"
#include "core/base/file.h"

namespace steward {

namespace {

// A third of what others get of a busy processor, and the last of those that wait for the disk. With the least of both (19, and the idle class) a drill on a
// machine that is always busy does not come to its end.
constexpr int kNiceness = 5;
// linux/ioprio.h: IOPRIO_WHO_PROCESS, and IOPRIO_CLASS_BE in the place of the class, with its lowest level.
constexpr int kIoprioWhoProcess = 1;
constexpr int kIoprioLast = 2 << 13 | 7;

}  // namespace

void be_nicer(int increment) {
    if (increment == 0) return;
    const int niceness = std::min(::getpriority(PRIO_PROCESS, 0) + increment, 19);
    ::setpriority(PRIO_PROCESS, 0, niceness);
    if (::getsid(0) != ::getpid()) return;
    const std::filesystem::path group = "/proc/self/autogroup";
    if (const Result<UniqueFd> file = open_file(group, O_WRONLY); file.ok())
        static_cast<void>(write_all(file->get(), as_bytes(std::to_string(niceness)), group).ok());
}

void be_nice() {
    ::setpriority(PRIO_PROCESS, 0, kNiceness);
    ::syscall(SYS_ioprio_set, kIoprioWhoProcess, 0, kIoprioLast);
}

}  // namespace steward
