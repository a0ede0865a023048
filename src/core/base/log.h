// Where the core tells what it does. The server renders records through its log, the program on standard error.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace steward {

/// kDebug3 steps, kDebug1 decisions, kLog what an operator would be paged about or will look for afterwards.
enum class LogLevel { kDebug3, kDebug1, kLog, kWarning };

struct LogRecord {
    LogLevel level;
    std::string event;    ///< stable name, snake_case: "segment_stored"
    std::string message;  ///< PostgreSQL style, without the fields
    std::vector<std::pair<std::string, std::string>> fields;
    std::string detail;
    std::string hint;
    std::string sqlstate;  ///< empty for records that are no errors
};

class Log {
public:
    virtual ~Log() = default;
    /// Record one event. Thread-safe; never fails and never blocks on the network.
    virtual void write(const LogRecord& record) = 0;

    void debug(std::string event, std::string message) { write({LogLevel::kDebug1, std::move(event), std::move(message), {}, {}, {}, {}}); }
    void info(std::string event, std::string message) { write({LogLevel::kLog, std::move(event), std::move(message), {}, {}, {}, {}}); }
    /// Log an error that is not returned to anyone (log or return, never both).
    void warning(std::string event, const Error& error);
};

/// Drops everything; for tests and for callers that return all there is to say.
class NullLog final : public Log {
public:
    void write(const LogRecord&) override {}
};

}  // namespace steward
