// What is wrong with an installation, and what to type: facts in, findings out, no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/doctor/doctor_facts.h"

namespace steward {

enum class Weight {
    kNote,     ///< worth knowing
    kWarning,  ///< it works, and is going wrong
    kError,    ///< something that is relied on does not work
};

/// "note", "warning", "error".
std::string_view to_string(Weight weight);

struct Diagnosis {
    std::string name;     ///< stable, for programs
    Weight weight = Weight::kError;
    std::string summary;  ///< a clause, as an error's message
    std::string cure;     ///< full sentences, with what to type
};

/// Find all that is wrong, the heaviest first, and in the order of the facts among equals. Pure. O(facts).
std::vector<Diagnosis> diagnose(const DoctorFacts& facts);

/// "3 minutes", "2 hours", "5 days". Pure.
std::string describe_age(std::chrono::microseconds age);

}  // namespace steward
