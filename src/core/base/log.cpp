#include "core/base/log.h"

namespace steward {

void Log::warning(std::string event, const Error& error) {
    LogRecord record{LogLevel::kWarning, std::move(event), error.message(), {}, error.detail(), error.hint(), std::string(error.sqlstate())};
    if (!error.object().empty()) record.fields.emplace_back("object", error.object());
    for (const std::string& line : error.context()) record.fields.emplace_back("context", line);
    write(record);
}

}  // namespace steward
