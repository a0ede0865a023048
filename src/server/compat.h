// PostgreSQL's headers for this extension, and everything that differs between majors 15 to 19.
//
// The only file that may look at PG_VERSION_NUM. Everything below is written against the newest major's names; older
// majors are adapted here.
#pragma once

extern "C" {
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogarchive.h"
#include "catalog/pg_control.h"
#include "catalog/pg_type.h"
#include "commands/tablespace.h"
#include "common/controldata_utils.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "postmaster/pgarch.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procsignal.h"
#include "storage/shmem.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#if PG_VERSION_NUM >= 160000
#include "archive/archive_module.h"
#endif
#if PG_VERSION_NUM >= 170000
#include "utils/wait_event.h"
#endif
}

// PostgreSQL redirects the C library's printf family and a few others by macro; C++ headers included later must not see that.
#undef printf
#undef fprintf
#undef sprintf
#undef snprintf
#undef vprintf
#undef vfprintf
#undef vsprintf
#undef vsnprintf
#undef strerror
#undef strerror_r
#undef gettext
#undef dgettext
#undef ngettext
#undef dngettext
#undef Min
#undef Max
#undef Abs
#undef foreach

// Archive modules: 15 has callbacks without a state argument and fills a struct of the server's; 16 returns one of ours.
#define STEWARD_ARCHIVE_MODULE_HAS_STATE (PG_VERSION_NUM >= 160000)

// 17 shows why a module is not configured; before, the server only says that it is not.
#if PG_VERSION_NUM >= 170000
#define STEWARD_ARCHIVE_NOT_CONFIGURED(...) arch_module_check_errdetail(__VA_ARGS__)
#else
#define STEWARD_ARCHIVE_NOT_CONFIGURED(...) ereport(DEBUG1, (errmsg_internal(__VA_ARGS__)))
#endif

namespace steward::compat {

/// Attribute waits of ours to a named event where the server can show it.
inline uint32 wait_event() {
#if PG_VERSION_NUM >= 170000
    static uint32 event = 0;
    if (event == 0) event = WaitEventExtensionNew("PgSteward");
    return event;
#else
    return PG_WAIT_EXTENSION;
#endif
}

}  // namespace steward::compat
