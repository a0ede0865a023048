#include "core/upgrade/transfer_method.h"

#include <gtest/gtest.h>

#include <string>

#include "core/upgrade/check_cluster.h"

namespace steward {
namespace {

constexpr uint64_t kGigabyte = uint64_t{1} << 30;

std::string possible_methods(const UpgradeHop& hop, const TransferFacts& facts) {
    std::string names;
    for (const MethodVerdict& verdict : judge_methods(hop, facts))
        if (verdict.possible) names += std::string(name_of(verdict.method)) + " ";
    return names;
}

TransferFacts roomy() { return {.file_systems = {{"/data", 10 * kGigabyte, 100 * kGigabyte}}, .one_file_system = true, .reflinks = true}; }

TEST(UpgradeMethods, AreThoseOfTheNewMajor) {
    EXPECT_EQ(possible_methods({13, 15}, roomy()), "copy clone link dump ");
    EXPECT_EQ(possible_methods({13, 17}, roomy()), "copy clone copy-file-range link dump ");
    EXPECT_EQ(possible_methods({17, 18}, roomy()), "copy clone copy-file-range link swap dump ");
}

TEST(UpgradeMethods, TheQuickestThatLeavesTheOldClusterIsChosen) {
    TransferFacts facts = roomy();
    EXPECT_EQ(choose_method(judge_methods({17, 18}, facts))->method, TransferMethod::kClone);
    facts.reflinks = false;
    EXPECT_EQ(possible_methods({17, 18}, facts), "copy link swap dump ");
    EXPECT_EQ(choose_method(judge_methods({17, 18}, facts))->method, TransferMethod::kCopy);
}

TEST(UpgradeMethods, CopiesNeedRoomForTheDataAndAReserve) {
    TransferFacts facts = roomy();
    facts.reflinks = false;
    facts.file_systems[0].free_bytes = 10 * kGigabyte + kUpgradeReserve;
    EXPECT_EQ(possible_methods({17, 18}, facts), "copy link swap dump ");
    facts.file_systems[0].free_bytes -= 1;
    EXPECT_EQ(possible_methods({17, 18}, facts), "link swap ");
    facts.file_systems[0].free_bytes = 10 * kGigabyte;
    EXPECT_FALSE(choose_method(judge_methods({17, 18}, facts)).has_value());
    const auto findings = check_methods(judge_methods({17, 18}, facts));
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].check, "no_room");
    EXPECT_EQ(findings[0].objects.front(), "copy: takes 10.5 GB on the file system of \"/data\", where 10.0 GB are free");
    facts.one_file_system = false;
    EXPECT_EQ(possible_methods({17, 18}, facts), "");
}

TEST(UpgradeMethods, CopiesNeedRoomOnEveryTablespacesFileSystem) {
    TransferFacts facts = roomy();
    facts.reflinks = false;
    facts.file_systems.push_back({"/mnt/fast", 5 * kGigabyte, 5 * kGigabyte});
    EXPECT_EQ(possible_methods({17, 18}, facts), "copy link swap dump ");
    facts.file_systems[1].free_bytes -= 1;
    EXPECT_EQ(possible_methods({17, 18}, facts), "link swap ");
    EXPECT_NE(judge_methods({17, 18}, facts)[0].reason.find("\"/mnt/fast\""), std::string::npos);
}

TEST(UpgradeMethods, NoneUsesUpAClusterWhoseWalIsElsewhere) {
    TransferFacts facts = roomy();
    facts.wal_elsewhere = true;
    EXPECT_EQ(possible_methods({17, 18}, facts), "copy clone copy-file-range dump ");
    EXPECT_NE(judge_methods({17, 18}, facts)[3].reason.find("the WAL is elsewhere"), std::string::npos);
}

TEST(UpgradeMethods, AreKnownByTheirNames) {
    for (const MethodVerdict& verdict : judge_methods({17, 18}, {})) EXPECT_EQ(parse_transfer_method(name_of(verdict.method)), verdict.method);
    EXPECT_EQ(parse_transfer_method("copy_file_range"), std::nullopt);
}

}  // namespace
}  // namespace steward
