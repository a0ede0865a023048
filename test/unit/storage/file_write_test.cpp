#include "core/storage/file_write.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"

namespace steward {
namespace {

std::string random_text(size_t size) {
    std::mt19937_64 random(size);
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

/// `text` cut into a short first part, as an object's head is, and pieces of about `piece` bytes.
std::vector<ByteView> cut(const std::string& text, size_t piece) {
    const ByteView bytes = as_bytes(text);
    std::vector<ByteView> parts;
    size_t length = 147;
    for (size_t offset = 0; offset < bytes.size(); offset += parts.back().size(), length = piece)
        parts.push_back(bytes.subspan(offset, std::min(length, bytes.size() - offset)));
    parts.push_back({});
    return parts;
}

class WriteDurably : public ::testing::TestWithParam<const char*> {
protected:
    std::filesystem::path file_ = std::filesystem::path(GetParam()) / formatted("steward_file_write_test.{}", ::getpid());
    UniqueFd fd_{::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    ~WriteDurably() override { ::unlink(file_.c_str()); }
};

// The sizes where direct writes begin and end, and where blocks do.
TEST_P(WriteDurably, WritesEveryByteOnce) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, kDirectWriteFrom - 1, kDirectWriteFrom, kDirectWriteFrom + 1,
                              kDirectWriteFrom + 4095, kDirectWriteFrom + 4096, 2 * kDirectWriteFrom + 147, 3 * kDirectWriteFrom - 1}) {
        const std::string text = random_text(size);
        for (const size_t piece : {size_t{5000}, size_t{1} << 20, size_t{64} << 20}) {
            ASSERT_EQ(::ftruncate(fd_.get(), 0), 0);
            ASSERT_EQ(write_durably(fd_.get(), cut(text, piece)), 0) << size << " " << piece;
            const auto content = read_file(file_, size + 1);
            ASSERT_TRUE(content.ok());
            EXPECT_TRUE(as_text(*content) == text) << size << " in pieces of " << piece;
        }
    }
}

// What comes after, through the same descriptor, goes through the page cache again and needs no alignment.
TEST_P(WriteDurably, LeavesTheDescriptorAsItWas) {
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    const std::string text = random_text(kDirectWriteFrom);
    ASSERT_EQ(write_durably(fd_.get(), cut(text, 1 << 20)), 0);
    EXPECT_EQ(::fcntl(fd_.get(), F_GETFL), flags);
}

// A disk's file system, and one in memory.
INSTANTIATE_TEST_SUITE_P(FileSystems, WriteDurably, ::testing::Values("/var/tmp", "/dev/shm"));

TEST(WriteDurablyTo, AFullDeviceReportsIt) {
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(full.valid());
    for (const size_t size : {size_t{100}, 2 * kDirectWriteFrom}) EXPECT_EQ(write_durably(full.get(), cut(random_text(size), 1 << 20)), ENOSPC);
}

}  // namespace
}  // namespace steward
