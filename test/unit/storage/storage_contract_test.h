// The contract of storage.h in executable form. A driver's test passes it all by one line:
//
//     INSTANTIATE_TEST_SUITE_P(Memory, StorageContract, testing::Values(StorageUnderTest{...}));
//
// The tests themselves are in storage_contract_test.cpp, once for all drivers.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/storage.h"

namespace steward {

/// How to get at a driver.
struct StorageUnderTest {
    /// Return an empty store; what it needs (a directory, a server) lives as long as the pointer.
    std::function<std::shared_ptr<Storage>()> make;
    /// Whether "a/b" is refused while "a" exists, as file systems must.
    bool refuses_nested_keys = true;
};

class StorageContract : public testing::TestWithParam<StorageUnderTest> {
protected:
    StorageContract() : owner_(GetParam().make()), storage_(*owner_) {}

    Result<PutOutcome> put(std::string_view key, std::string_view content, PutMode mode = PutMode::kIfAbsent) {
        const ByteView part = as_bytes(content);
        return storage_.put(key, {&part, 1}, mode);
    }
    /// The object's content, or the error's text.
    std::string content(std::string_view key) {
        const auto read = read_object(storage_, key, UINT64_MAX);
        return read.ok() ? std::string(as_text(*read)) : read.error().to_string();
    }
    /// All keys under `prefix`, gathered in pages of `limit`.
    std::vector<std::string> keys(std::string_view prefix, size_t limit = kMaxListLimit) {
        std::vector<std::string> found;
        std::string page;
        do {
            const auto listed = storage_.list(prefix, page, limit);
            EXPECT_TRUE(listed.ok()) << listed.error().to_string();
            if (!listed.ok()) break;
            EXPECT_LE(listed->objects.size(), limit);
            for (const ObjectInfo& object : listed->objects) found.push_back(object.key);
            page = listed->next;
        } while (!page.empty());
        return found;
    }

private:
    std::shared_ptr<Storage> owner_;

protected:
    Storage& storage_;
};

}  // namespace steward
