#include "server/session.h"

#include "core/postgres/lsn.h"
#include "server/boundary.h"

namespace steward {

namespace {

/// One row of texts, in memory that outlives the transaction.
struct TextRow {
    char* values[3];
};

/// Run one statement in a transaction of its own and return the first row's columns as texts (nullptr for NULL).
/// On an error the transaction is left to whoever catches it, as boundary.h demands.
Result<TextRow> run_statement(const char* statement, int columns, int argument_count, Oid* types, Datum* values) {
    const MemoryContext outside = CurrentMemoryContext;
    return call_server([=] {
        TextRow row = {};
        SetCurrentStatementStartTimestamp();
        StartTransactionCommand();
        SPI_connect();
        PushActiveSnapshot(GetTransactionSnapshot());
        if (SPI_execute_with_args(statement, argument_count, types, values, nullptr, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
            elog(ERROR, "unexpected result of statement: %s", statement);
        for (int column = 0; column < columns; ++column) {
            const char* text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column + 1);
            row.values[column] = text != nullptr ? MemoryContextStrdup(outside, text) : nullptr;
        }
        SPI_finish();
        PopActiveSnapshot();
        CommitTransactionCommand();
        MemoryContextSwitchTo(outside);
        return row;
    });
}

Result<uint64_t> lsn_of(const char* text) {
    TRY_ASSIGN(const Lsn lsn, parse_lsn(text != nullptr ? text : ""));
    return lsn.value;
}

}  // namespace

Result<uint64_t> start_backup_session(const std::string& label, bool fast) {
    const char* text = label.c_str();
    TRY_ASSIGN(const Datum label_datum, call_server([text] { return CStringGetTextDatum(text); }));
    Oid types[] = {TEXTOID, BOOLOID};
    Datum values[] = {label_datum, BoolGetDatum(fast)};
    TRY_ASSIGN(const TextRow row, run_statement("SELECT pg_catalog.pg_backup_start($1, $2)", 1, 2, types, values));
    return lsn_of(row.values[0]);
}

Result<StoppedBackup> stop_backup_session() {
    TRY_ASSIGN(const TextRow row, run_statement("SELECT lsn, labelfile, spcmapfile FROM pg_catalog.pg_backup_stop(false)", 3, 0, nullptr, nullptr));
    StoppedBackup stopped;
    TRY_ASSIGN(stopped.lsn, lsn_of(row.values[0]));
    stopped.backup_label = row.values[1] != nullptr ? row.values[1] : "";
    stopped.tablespace_map = row.values[2] != nullptr ? row.values[2] : "";
    return stopped;
}

}  // namespace steward
