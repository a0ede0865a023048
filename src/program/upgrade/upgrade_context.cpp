#include "program/upgrade/upgrade_context.h"

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Names may be of any bytes, and JSON's texts may not.
std::string encode(std::string_view text) { return to_hex(as_bytes(text)); }

std::string decode(const Json& json) {
    const Result<Bytes> bytes = from_hex(json.get<std::string>());
    return bytes.ok() ? std::string(as_text(*bytes)) : std::string();
}

UpgradeFacts parse_facts(const Json& json) {
    UpgradeFacts facts;
    facts.traits.major = json.at("major").get<int>();
    facts.traits.superuser = decode(json.at("superuser_hex"));
    facts.traits.encoding = json.at("encoding").get<std::string>();
    facts.traits.locale_provider = json.at("locale_provider").get<std::string>().at(0);
    facts.traits.collate = decode(json.at("collate_hex"));
    facts.traits.ctype = decode(json.at("ctype_hex"));
    facts.traits.locale = decode(json.at("locale_hex"));
    facts.traits.icu_rules = decode(json.at("icu_rules_hex"));
    facts.traits.data_checksums = json.at("data_checksums").get<bool>();
    facts.traits.group_access = json.at("group_access").get<bool>();
    facts.traits.wal_segment_mb = json.at("wal_segment_mb").get<int>();
    for (const Json& database : json.at("databases_hex")) facts.databases.push_back(decode(database));
    facts.preload = decode(json.at("preload_hex"));
    facts.replication.logical_slots = json.at("logical_slots").get<int>();
    facts.replication.subscriptions = json.at("subscriptions").get<int>();
    facts.replication.output_plugins = decode(json.at("output_plugins_hex"));
    return facts;
}

}  // namespace

Result<void> write_facts(const UpgradeFacts& facts, const fs::path& file) {
    const ClusterTraits& traits = facts.traits;
    Json json = {{"major", traits.major},
                 {"superuser_hex", encode(traits.superuser)},
                 {"encoding", traits.encoding},
                 {"locale_provider", std::string(1, traits.locale_provider)},
                 {"collate_hex", encode(traits.collate)},
                 {"ctype_hex", encode(traits.ctype)},
                 {"locale_hex", encode(traits.locale)},
                 {"icu_rules_hex", encode(traits.icu_rules)},
                 {"data_checksums", traits.data_checksums},
                 {"group_access", traits.group_access},
                 {"wal_segment_mb", traits.wal_segment_mb},
                 {"databases_hex", Json::array()},
                 {"preload_hex", encode(facts.preload)},
                 {"logical_slots", facts.replication.logical_slots},
                 {"subscriptions", facts.replication.subscriptions},
                 {"output_plugins_hex", encode(facts.replication.output_plugins)}};
    for (const std::string& database : facts.databases) json["databases_hex"].push_back(encode(database));
    return write_file_durably(file, as_bytes(render_json(json) + "\n"));
}

Result<UpgradeFacts> read_facts_file(const fs::path& file) {
    constexpr uint64_t kMostBytes = 64 << 20;
    TRY_ASSIGN(const Bytes content, read_file(file, kMostBytes));
    const Json json = parse_json(as_text(content));
    // What is missing or of another type throws, and nothing else does.
    try {
        if (json.is_object()) return parse_facts(json);
    } catch (const std::exception&) {
    }
    return Error(ErrorCode::corrupt_object, formatted("file \"{}\" is not understood", file.native())).hint("Roll back, and run the upgrade again.").object(file.native());
}

fs::path UpgradeContext::log_of(int hop, std::string_view what) const { return places.logs() / formatted("{}-{}.log", major_of(hop), what); }

Result<PrivateServerPlan> UpgradeContext::server_plan(int hop, const UpgradeFacts& facts) const {
    constexpr std::string_view kTrust = "local all all trust\n";
    TRY(write_file_durably(places.hba(), as_bytes(kTrust)));
    PrivateServerPlan plan;
    plan.bindir = bindir_of(hop);
    plan.major = major_of(hop);
    plan.data_directory = cluster_of(hop);
    plan.config_file = config_of(hop);
    plan.hba_file = places.hba();
    plan.socket_directory = sockets;
    plan.log = log_of(hop, "server");
    plan.superuser = facts.traits.superuser;
    plan.preload = facts.preload;
    return plan;
}

}  // namespace steward
