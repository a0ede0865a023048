// Yielding the processor to the server.
#pragma once

namespace steward {

/// Make this process, and threads and processes it starts from here on, nicer by `increment`, from 0 to 19.
///
/// Linux schedules the processes of a session as one group where sched_autogroup_enabled is set, which it is by default: each backend
/// is a session of its own, groups share alike, and niceness counts within a group only. So the leader of a session, as every engine
/// is, sets its group's niceness too. Best effort: what the system refuses is left as it is. Process context: before threads are started.
void be_nicer(int increment);

/// Let this thread, and those it starts from now on, yield to others at processor and disk, without being starved by them.
void be_nice();

}  // namespace steward
