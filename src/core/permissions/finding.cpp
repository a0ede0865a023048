#include "core/permissions/finding.h"

namespace steward {

const char* to_string(Severity severity) {
    switch (severity) {
        case Severity::kNote: return "note";
        case Severity::kWarning: return "warning";
        case Severity::kError: return "error";
    }
    return "";
}

const char* to_string(Problem problem) {
    switch (problem) {
        case Problem::kWrongOwner: return "wrong_owner";
        case Problem::kTooOpen: return "too_open";
        case Problem::kNotUsable: return "not_usable";
        case Problem::kWrongGroup: return "wrong_group";
        case Problem::kMissing: return "missing";
        case Problem::kWrongType: return "wrong_type";
        case Problem::kForeign: return "foreign";
        case Problem::kNotSearched: return "not_searched";
    }
    return "";
}

void decide_action(Finding& finding, uid_t user) {
    if (!finding.change) {
        finding.action = Action::kNone;
        return;
    }
    const bool gives_away = finding.change->user != finding.file.rights.user || finding.change->group != finding.file.rights.group;
    const bool may = user == 0 || (user == finding.file.rights.user && !gives_away);
    finding.action = may ? Action::kChange : Action::kNeedsRoot;
}

}  // namespace steward
