// A repository in memory, and a reader for what a backup put there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/clock.h"
#include "core/repository/repository.h"
#include "core/storage/memory_storage.h"
#include "storage/faulty_storage.h"

namespace steward {

/// Repositories whose storage can be told to fail.
class TestRepository {
public:
    explicit TestRepository(const Identity& identity = {77, 17, 16 << 20}) : storage_(clock_) {
        auto faulty = std::make_unique<FaultyStorage>(storage_);
        faults_ = faulty.get();
        Result<Repository> opened = Repository::open_or_claim(std::move(faulty), "main", identity, clock_);
        EXPECT_TRUE(opened.ok());
        repositories_.push_back(std::move(opened).value());
    }

    const std::vector<Repository>& all() const { return repositories_; }
    const Repository& one() const { return repositories_.front(); }
    FaultyStorage& faults() { return *faults_; }

    std::vector<std::string> keys(const std::string& prefix) {
        std::vector<std::string> found;
        EXPECT_TRUE(for_each_object(storage_, prefix, [&](const ObjectInfo& object) -> Result<void> {
                        found.push_back(object.key);
                        return {};
                    }).ok());
        return found;
    }

    /// Content of a file as a restore would write it.
    std::string read_back(const ManifestFile& file, const std::vector<ManifestPack>& packs) {
        std::string content(file.size, '\0');
        for (const ManifestRun& run : file.runs) {
            const std::string key = one().layout().pack(packs.at(run.pack).set, packs.at(run.pack).number);
            Result<Bytes> pack = one().load(key, ObjectKind::kPack);
            EXPECT_TRUE(pack.ok()) << key;
            if (!pack.ok()) continue;
            EXPECT_EQ(pack->size(), packs.at(run.pack).length);
            const ByteView bytes = ByteView(*pack).subspan(run.pack_offset, run.length);
            std::ranges::copy(as_text(bytes), content.begin() + static_cast<std::ptrdiff_t>(run.offset));
        }
        return content;
    }

private:
    SystemClock clock_;
    MemoryStorage storage_;
    FaultyStorage* faults_ = nullptr;
    std::vector<Repository> repositories_;
};

}  // namespace steward
