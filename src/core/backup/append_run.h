// Lists of runs without neighbours that could be one.
#pragma once

#include <vector>

namespace steward {

/// Append `run`; where it continues the last one, in the file and in the same pack, that one becomes longer instead. A kind of run says by
/// are_in_one_pack() what the same pack is.
template <typename Run>
void append_run(std::vector<Run>& runs, const Run& run) {
    if (!runs.empty()) {
        Run& last = runs.back();
        if (are_in_one_pack(last, run) && last.offset + last.length == run.offset && last.pack_offset + last.length == run.pack_offset) {
            last.length += run.length;
            return;
        }
    }
    runs.push_back(run);
}

}  // namespace steward
