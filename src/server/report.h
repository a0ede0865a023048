// Rendering of the core's log records and errors through the server's log.
#pragma once

#include "core/base/log.h"
#include "core/base/result.h"

namespace steward {

/// Write one record to the server's log. Errors: server_raised when an interrupt was served on the way.
Result<void> report(const LogRecord& record);

/// Write an error that ends here as WARNING: it is logged instead of returned.
Result<void> report_warning(const Error& error);

}  // namespace steward
