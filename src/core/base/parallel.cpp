#include "core/base/parallel.h"

#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace steward {

Result<void> run_workers(int workers, const CancelToken& cancel, const std::function<Result<void>(int, const CancelToken&)>& work) {
    if (workers <= 1) return work(0, cancel);

    CancelSource stop;
    std::stop_callback forward(cancel, [&stop] { stop.request_stop(); });
    std::mutex mutex;
    std::optional<Error> first;
    {
        std::vector<std::jthread> threads;
        threads.reserve(static_cast<size_t>(workers));
        for (int i = 0; i < workers; ++i)
            threads.emplace_back([&, i] {
                Result<void> result = work(i, stop.get_token());
                if (result.ok()) return;
                const std::lock_guard lock(mutex);
                if (!first) first = std::move(result).error();
                stop.request_stop();
            });
    }
    if (first) return std::move(*first);
    return {};
}

}  // namespace steward
