// What a cluster's catalogs tell about an upgrade: the questions.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/upgrade/finding.h"

namespace steward {

/// Majors of an upgrade.
struct UpgradeHop {
    int from = 0;
    int to = 0;
};

/// A query, each row of which is one object with its cure. Names in both are quoted for SQL.
struct CatalogCheck {
    std::string_view name;  ///< UpgradeFinding::check
    FindingWeight weight;
    bool (*applies)(const UpgradeHop& hop);
    bool in_each_database;  ///< else the catalogs it reads are those that all databases share
    std::string_view summary;
    std::string_view detail;
    std::string_view object;  ///< expression: text
    std::string_view cure;    ///< expression: text, or NULL where `detail` says what to do
    std::string_view rest;    ///< FROM and what follows
};

/// All of them. The queries run on 13 and later with search_path = pg_catalog, and write nothing.
std::span<const CatalogCheck> catalog_checks();

}  // namespace steward
