#include "core/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

namespace steward {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) return Error(ErrorCode::invalid_argument, "odd");
    return n / 2;
}

Result<int> quarter(int n) {
    TRY_ASSIGN(const int h, half(n));
    TRY_ASSIGN(const int q, half(h).context([&] { return "while halving " + std::to_string(h); }));
    return q;
}

TEST(Result, CarriesTheValueThroughTry) { EXPECT_EQ(*quarter(12), 3); }

TEST(Result, CarriesTheErrorWithItsContext) {
    const auto result = quarter(6);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message(), "odd");
    EXPECT_EQ(result.error().context(), std::vector<std::string>{"while halving 3"});
}

TEST(Result, HoldsMoveOnlyValues) {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
    EXPECT_EQ(*std::move(result).value(), 7);
}

TEST(Error, ChoosesTheCodeFromErrno) {
    EXPECT_EQ(Error::from_errno(ENOSPC, "x").code(), ErrorCode::no_space);
    EXPECT_EQ(Error::from_errno(EACCES, "x").code(), ErrorCode::permission_denied);
    EXPECT_EQ(Error::from_errno(ENOENT, "could not open file \"a\"").message(), "could not open file \"a\": No such file or directory");
}

TEST(Error, KeepsItsPartsWhenOneIsAddedLater) {
    Error error(ErrorCode::io_error, "could not do it");
    error = std::move(error).detail("It broke.");
    error = std::move(error).context("while trying").hint("Try again.");
    EXPECT_EQ(error.to_string(), "could not do it\nDETAIL:  It broke.\nHINT:  Try again.\nCONTEXT:  while trying");
}

TEST(ErrorCodes, HaveDistinctExitStatusesBelowTheShells) {
    std::set<int> seen;
    for (const ErrorCodeInfo& row : all_error_codes()) {
        EXPECT_TRUE(seen.insert(row.exit_status).second) << row.name;
        EXPECT_GT(row.exit_status, 1) << row.name;
        EXPECT_LT(row.exit_status, 126) << row.name;
        EXPECT_EQ(row.sqlstate.size(), 5u) << row.name;
        EXPECT_EQ(error_code_named(row.name), row.code);
    }
}

}  // namespace
}  // namespace steward
