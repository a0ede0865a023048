#include "core/upgrade/finding_json.h"

namespace steward {

nlohmann::ordered_json findings_as_json(const std::vector<UpgradeFinding>& findings) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
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
