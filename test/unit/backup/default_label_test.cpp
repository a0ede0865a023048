#include "core/backup/default_label.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TEST(DefaultLabel, IsTheTimeAndANumberWhereThatIsTaken) {
    const TimePoint now = parse_time("2026-11-21 19:27:38.9+00").value();
    EXPECT_EQ(default_label(now, ""), "20261121-192738Z");
    EXPECT_EQ(default_label(now, "nightly"), "20261121-192738Z");
    EXPECT_EQ(default_label(now, "20261121-192737Z"), "20261121-192738Z");
    EXPECT_EQ(default_label(now, "20261121-192738Z"), "20261121-192738Z-2");
    EXPECT_EQ(default_label(now, "20261121-192738Z-2"), "20261121-192738Z-3");
    EXPECT_EQ(default_label(now, "20261121-192738Z-9"), "20261121-192738Z-10");
    EXPECT_EQ(default_label(now, "20261121-192738Z-x"), "20261121-192738Z-2");
}

}  // namespace
}  // namespace steward
