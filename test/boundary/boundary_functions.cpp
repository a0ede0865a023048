// SQL functions that fail in every way at the boundary between C++ and the server, for test/tap/t/015_boundary.pl.

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "server/boundary.h"

namespace steward {
namespace {

/// Counts itself: what was made and not destroyed was jumped over.
class Witness {
public:
    Witness() { ++live; ++made; }
    Witness(const Witness&) = delete;
    ~Witness() { --live; }

    static inline int live = 0;
    static inline int made = 0;
};

std::string text_argument(FunctionCallInfo fcinfo, int number) {
    const text* argument = PG_GETARG_TEXT_PP(number);
    return std::string(VARDATA_ANY(argument), static_cast<size_t>(VARSIZE_ANY_EXHDR(argument)));
}

/// What the server raises, with every part of it.
void raise_in_server() {
    ereport(ERROR, (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("raised in the server"), errdetail("Detail of the server."), errhint("Hint of the server."),
                    errcontext("context of the server")));
}

Result<int> fail(std::string_view how) {
    const Witness witness;
    if (how == "return") return 7;
    if (how == "error")
        return Error(ErrorCode::content_conflict, "returned by C++ with 100%s").detail("Detail of C++.").hint("Hint of C++.").context("while one").context("while two");
    if (how == "bare error") return Error(ErrorCode::internal, "returned by C++");
    if (how == "runtime_error") throw std::runtime_error("thrown by C++");
    if (how == "bad_alloc") throw std::bad_alloc();
    if (how == "int") throw 42;
    if (how == "server") {
        TRY(call_server([] { raise_in_server(); }));
    }
    if (how == "cancel") {
        TRY(call_server([] { DirectFunctionCall1(pg_cancel_backend, Int32GetDatum(MyProcPid)); }));
        TRY(call_server([] { DirectFunctionCall1(pg_sleep, Float8GetDatum(600)); }));
    }
    if (how == "sleep") {
        TRY(call_server([] { DirectFunctionCall1(pg_sleep, Float8GetDatum(600)); }));
    }
    return Error(ErrorCode::internal, "survived: " + std::string(how));
}

/// Go `depth` times through the server and back, and fail at the bottom.
Result<int> nest(int depth, std::string_view how) {
    const Witness before;
    const std::string copy(how);  // owns memory: a jump over it would leak
    if (depth == 0) return fail(copy);
    const char* bottom = copy.c_str();
    Result<int> value = call_server([=] {
        SPI_connect();
        if (SPI_execute(psprintf("SELECT steward_boundary_nest(%d, '%s')", depth - 1, bottom), true, 0) != SPI_OK_SELECT) elog(ERROR, "SPI failed");
        bool is_null = false;
        const int found = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
        SPI_finish();
        return found;
    });
    const Witness after;
    TRY_ASSIGN(const int found, std::move(value));
    return found + 1;
}

}  // namespace
}  // namespace steward

extern "C" {

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(steward_boundary_fail);
PG_FUNCTION_INFO_V1(steward_boundary_nest);
PG_FUNCTION_INFO_V1(steward_boundary_live);
PG_FUNCTION_INFO_V1(steward_boundary_made);

PGDLLEXPORT Datum steward_boundary_fail(PG_FUNCTION_ARGS) {
    return Int32GetDatum(steward::enter([&] { return steward::fail(steward::text_argument(fcinfo, 0)); }));
}

PGDLLEXPORT Datum steward_boundary_nest(PG_FUNCTION_ARGS) {
    return Int32GetDatum(steward::enter([&] { return steward::nest(PG_GETARG_INT32(0), steward::text_argument(fcinfo, 1)); }));
}

PGDLLEXPORT Datum steward_boundary_live(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    return Int32GetDatum(steward::Witness::live);
}

PGDLLEXPORT Datum steward_boundary_made(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    return Int32GetDatum(steward::Witness::made);
}
}
