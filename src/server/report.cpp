#include "server/report.h"

#include "server/boundary.h"

namespace steward {

namespace {

int server_level(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug3: return DEBUG3;
        case LogLevel::kDebug1: return DEBUG1;
        case LogLevel::kLog: return LOG;
        case LogLevel::kWarning: return WARNING;
    }
    return WARNING;
}

/// The fields follow the message in parentheses: "stored WAL segment (segment=..., bytes=...)".
std::string with_fields(const LogRecord& record) {
    std::string text = record.message;
    const char* separator = " (";
    for (const auto& [name, value] : record.fields) {
        text += separator + name + "=" + value;
        separator = ", ";
    }
    return record.fields.empty() ? text : text + ")";
}

}  // namespace

Result<void> report(const LogRecord& record) {
    const std::string text = with_fields(record);
    const char* message = text.c_str();
    const char* detail = record.detail.c_str();
    const char* hint = record.hint.c_str();
    const int level = server_level(record.level);
    const std::string& code = record.sqlstate;
    const int sqlstate = code.size() == 5 ? MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]) : 0;
    // Even a LOG message may raise: ereport serves interrupts once it has written.
    return call_server([=] {
        ereport(level, (sqlstate != 0 ? errcode(sqlstate) : 0, errmsg_internal("pg_steward: %s", message),
                        *detail != 0 ? errdetail_internal("%s", detail) : 0, *hint != 0 ? errhint("%s", hint) : 0));
    });
}

Result<void> report_warning(const Error& error) {
    LogRecord record{LogLevel::kWarning, "error", error.message(), {}, error.detail(), error.hint(), std::string(error.sqlstate())};
    for (const std::string& line : error.context()) record.detail += (record.detail.empty() ? "" : "\n") + line;
    return report(record);
}

}  // namespace steward
