// Threads: the one way the core runs work side by side.
#pragma once

#include <functional>

#include "core/base/cancel.h"
#include "core/base/result.h"

namespace steward {

/// Run `work` on `workers` threads (1..256) and wait for all of them.
///
/// Each call gets its worker number, 0-based, and a token that is stopped when `cancel` is or when another worker failed.
/// Typically each worker takes items from a shared atomic counter until none are left. Returns the first error; workers
/// that stopped because of it are not reported. With one worker it runs in the calling thread.
Result<void> run_workers(int workers, const CancelToken& cancel, const std::function<Result<void>(int, const CancelToken&)>& work);

}  // namespace steward
