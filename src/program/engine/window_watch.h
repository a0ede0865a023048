// The WAL engine's watch over what can be recovered: keeps the gap ledgers, and tells the worker the recovery window.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "core/archive/gap_watch.h"
#include "core/archive/given_up_wal.h"
#include "core/base/clock.h"
#include "core/repository/repository.h"
#include "core/restore/repository_facts.h"
#include "program/engine/engine_link.h"

namespace steward {

/// Lists the repositories now and then, on a thread of its own, from construction to destruction. Everything borrowed outlives it.
class WindowWatch {
public:
    WindowWatch(EngineLink& link, const std::vector<Repository>& repositories, GivenUpWal& given_up, std::string data_directory, const Clock& clock);

private:
    struct Watched {
        ContentReader reader;
        GapWatch gaps;
    };

    void watch(const std::stop_token& stop);
    RecoveryWindowMessage look();
    bool enter_given_up(size_t repository, const std::vector<RecordedGap>& gaps, RepositoryContent& content);
    void settle_given_up(const std::vector<RecordedGap>& entered, const std::vector<std::string>& ready);
    void enter_gaps(size_t repository, const std::vector<std::string>& ready, RepositoryContent& content);

    EngineLink& link_;
    const std::vector<Repository>& repositories_;
    GivenUpWal& given_up_;
    const std::string data_directory_;
    const Clock& clock_;
    std::vector<Watched> watched_;
    std::jthread thread_;
};

}  // namespace steward
