#include "server/boundary.h"

#include <cstring>

namespace steward::boundary_detail {

namespace {

/// Copy a text for a message; nullptr for an empty one or when memory is short. MCXT_ALLOC_NO_OOM: never raises.
const char* keep(const std::string& text) {
    if (text.empty()) return nullptr;
    // Error reports are read by the handler above us, which may have switched contexts: ErrorContext is there for that,
    // but it is reset when another error is reported, so the current context it is.
    auto* copy = static_cast<char*>(MemoryContextAllocExtended(CurrentMemoryContext, text.size() + 1, MCXT_ALLOC_NO_OOM));
    if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

int encode_sqlstate(std::string_view code) { return MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]); }

std::string or_empty(const char* text) { return text != nullptr ? text : ""; }

}  // namespace

PendingError pend(const Error& error) noexcept {
    try {
        std::string context;
        for (const std::string& line : error.context()) context += (context.empty() ? "" : "\n") + line;
        const char* message = keep(error.message());
        return {encode_sqlstate(error.sqlstate()), message != nullptr ? message : "out of memory while reporting an error", keep(error.detail()),
                keep(error.hint()), keep(context), error.code() == ErrorCode::server_raised};
    } catch (...) {
        return pend_out_of_memory();
    }
}

PendingError pend_exception(const char* what) noexcept {
    const char* message = nullptr;
    try {
        message = keep(std::string("unexpected exception: ") + what);
    } catch (...) {
        return pend_out_of_memory();
    }
    return {ERRCODE_INTERNAL_ERROR, message != nullptr ? message : "unexpected exception", nullptr, "This is a bug in pg_steward: please report it.",
            nullptr, false};
}

PendingError pend_out_of_memory() noexcept { return {ERRCODE_OUT_OF_MEMORY, "out of memory", nullptr, nullptr, nullptr, false}; }

void raise(const PendingError& error) {
    // ereport asks every caller for a line of context, those above us too: raised a second time, each would be told twice, and
    // once more for every crossing. Whoever catches the error puts the stack back, as PG_CATCH and the main loop do.
    if (error.context_is_complete) error_context_stack = nullptr;
    ereport(ERROR, (errcode(error.sqlstate), errmsg_internal("%s", error.message),
                    error.detail != nullptr ? errdetail_internal("%s", error.detail) : 0,
                    error.hint != nullptr ? errhint("%s", error.hint) : 0,
                    error.context != nullptr ? errcontext("%s", error.context) : 0));
    pg_unreachable();
}

Error take_server_error(MemoryContext context) {
    MemoryContextSwitchTo(context);
    ErrorData* data = CopyErrorData();
    FlushErrorState();
    Error error = Error(ErrorCode::server_raised, or_empty(data->message))
                      .detail(or_empty(data->detail))
                      .hint(or_empty(data->hint))
                      .sqlstate(unpack_sql_state(data->sqlerrcode));
    if (data->context != nullptr) error = std::move(error).context(data->context);
    FreeErrorData(data);
    return error;
}

}  // namespace steward::boundary_detail
