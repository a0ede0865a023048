// Cancellation: asked for from outside, looked at between steps.
#pragma once

#include <stop_token>

#include "core/base/result.h"

namespace steward {

/// Passed to everything that may take long. Work looks at it at least once per frame of data.
using CancelToken = std::stop_token;
using CancelSource = std::stop_source;

/// Return the error `cancelled` if someone asked to stop.
inline Result<void> check_cancel(const CancelToken& cancel) {
    if (cancel.stop_requested()) return Error(ErrorCode::cancelled, "canceled on request");
    return {};
}

}  // namespace steward
