#include "core/upgrade/finding_json.h"

namespace steward {

Json findings_as_json(const std::vector<UpgradeFinding>& findings) {
    Json json = Json::array();
    for (const UpgradeFinding& finding : findings)
        json.push_back({{"check", finding.check},
                        {"weight", name_of(finding.weight)},
                        {"summary", finding.summary},
                        {"detail", finding.detail},
                        {"objects", finding.objects},
                        {"cures", finding.cures}});
    return json;
}

}  // namespace steward
