// Which process of which machine: told apart from all others, past and present.
#pragma once

#include <cstdint>
#include <string>

namespace steward {

struct ProcessMark {
    std::string host;   ///< for people
    int64_t pid = 0;
    std::string place;  ///< the boot of the machine and the process namespace that `pid` counts in; empty where that is not known
    uint64_t started = 0;  ///< clock ticks from that boot to the process's start, so that a reused id is another process; 0: not known
};

/// The mark of this process. Linux's /proc says where it lives; without it `place` is empty. Any process; reads three small files.
ProcessMark mark_of_this_process();

/// Whether the process that `mark` names has certainly ended: it lived here, under this boot and in this namespace, and is not
/// there any more. False when in doubt, and always for a process of another machine or container. Any process.
bool is_provably_gone(const ProcessMark& mark);

}  // namespace steward
