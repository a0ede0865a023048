#include "core/backup/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/postgres/page.h"

namespace steward {
namespace {

std::vector<ScannedFile> files_of(const std::vector<uint64_t>& sizes) {
    std::vector<ScannedFile> files;
    for (const uint64_t size : sizes) files.push_back({.path = "base/5/" + std::to_string(files.size() + 1), .size = size, .mode = 0600, .modified = {}});
    return files;
}

void expect_sound(const std::vector<ScannedFile>& files, const CopyPlan& plan, uint64_t pack_target) {
    std::map<uint32_t, std::map<uint64_t, CopyPiece>> by_file;
    uint64_t bytes = 0;
    for (const PackTask& task : plan.packs) {
        uint64_t length = 0;
        EXPECT_FALSE(task.pieces.empty());
        for (const CopyPiece& piece : task.pieces) {
            EXPECT_TRUE(by_file[piece.file].emplace(piece.offset, piece).second) << "piece planned twice";
            length += piece.length;
        }
        EXPECT_EQ(length, task.length);
        EXPECT_LE(length, pack_target);
        bytes += length;
    }
    EXPECT_EQ(bytes, plan.bytes);
    ASSERT_EQ(by_file.size(), files.size());
    for (const auto& [index, pieces] : by_file) {
        uint64_t position = 0;
        for (const auto& [offset, piece] : pieces) {
            EXPECT_EQ(offset, position) << "hole or overlap in file " << index;
            EXPECT_EQ(offset % kPageSize, 0u);
            EXPECT_EQ(piece.whole, piece.length == files[index].size);
            position += piece.length;
        }
        EXPECT_EQ(position, files[index].size);
    }
}

TEST(PlanCopy, PutsEveryByteOfEveryFileIntoExactlyOnePack) {
    std::mt19937_64 random(20261120);
    for (int round = 0; round < 300; ++round) {
        std::vector<uint64_t> sizes(random() % 60);
        for (uint64_t& size : sizes) {
            const uint64_t magnitude = uint64_t{1} << random() % 24;
            size = random() % 3 == 0 ? random() % magnitude : random() % magnitude / kPageSize * kPageSize;
        }
        const std::vector<ScannedFile> files = files_of(sizes);
        const uint64_t pack_target = kPageSize << random() % 12;
        const int workers = 1 + static_cast<int>(random() % 8);
        SCOPED_TRACE(round);
        expect_sound(files, plan_copy(files, {}, workers, pack_target), pack_target);
    }
}

TEST(PlanCopy, GivesTheSamePlanForTheSameFacts) {
    const std::vector<ScannedFile> files = files_of({8192, 100, 0, 300 << 20, 3, 81920});
    const CopyPlan first = plan_copy(files, {}, 3);
    const CopyPlan second = plan_copy(files, {}, 3);
    ASSERT_EQ(first.packs.size(), second.packs.size());
    for (size_t i = 0; i < first.packs.size(); ++i) {
        ASSERT_EQ(first.packs[i].pieces.size(), second.packs[i].pieces.size());
        for (size_t j = 0; j < first.packs[i].pieces.size(); ++j) {
            EXPECT_EQ(first.packs[i].pieces[j].file, second.packs[i].pieces[j].file);
            EXPECT_EQ(first.packs[i].pieces[j].offset, second.packs[i].pieces[j].offset);
        }
    }
}

TEST(PlanCopy, KeepsPagesOnPageBoundariesOfThePack) {
    const std::vector<ScannedFile> files = files_of({3, 81920, 100, 8192, 0, 5, 163840});
    for (const PackTask& task : plan_copy(files, {}, 2).packs) {
        uint64_t position = 0;
        for (const CopyPiece& piece : task.pieces) {
            if (files[piece.file].size % kPageSize == 0) {
                EXPECT_EQ(position % kPageSize, 0u) << files[piece.file].path;
            }
            position += piece.length;
        }
    }
}

TEST(PlanCopy, EndsWithSmallPacksSoThatWorkersFinishTogether) {
    const CopyPlan plan = plan_copy(files_of({uint64_t{1} << 30, uint64_t{1} << 30}), {}, 4);
    EXPECT_EQ(plan.packs.front().length, kPackTarget);
    EXPECT_LE(plan.packs.back().length, kSmallestPackTarget);
    for (size_t i = 1; i < plan.packs.size(); ++i) EXPECT_LE(plan.packs[i].length, plan.packs[i - 1].length + kPageSize);
}

TEST(PlanCopy, PlansNothingForNoFiles) { EXPECT_TRUE(plan_copy({}, {}, 2).packs.empty()); }

}  // namespace
}  // namespace steward
