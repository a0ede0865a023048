#include "core/doctor/diagnose.h"

#include <algorithm>
#include <functional>

#include "core/doctor/diagnose_parts.h"

namespace steward {

std::string_view to_string(Weight weight) {
    switch (weight) {
        case Weight::kNote: return "note";
        case Weight::kWarning: return "warning";
        case Weight::kError: break;
    }
    return "error";
}

std::vector<Diagnosis> diagnose(const DoctorFacts& facts) {
    std::vector<Diagnosis> found;
    diagnose_settings(facts, found);
    diagnose_directory(facts, found);
    diagnose_configuration(facts, found);
    diagnose_installation(facts, found);
    diagnose_archiving(facts, found);
    diagnose_disks(facts, found);
    diagnose_repositories(facts, found);
    std::ranges::stable_sort(found, std::ranges::greater(), &Diagnosis::weight);
    return found;
}

}  // namespace steward
