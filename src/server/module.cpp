// The module's entry: everything that happens when the server loads the library.

#include "server/boundary.h"
#include "server/settings.h"
#include "server/shared_state.h"
#include "server/worker_entry.h"

namespace steward {

/// With a repository set, archiving is on unless the operator says otherwise: a dynamic default yields to any setting in
/// a configuration file or on the command line, at start and at every reload. An archive_command is such a setting: 16 and
/// later refuse to have it together with archive_library.
static void default_archiving_to_on() {
    const char* command = GetConfigOption("archive_command", true, false);
    if (!repository_is_set() || (command != nullptr && *command != '\0')) return;
    SetConfigOption("archive_mode", "on", PGC_POSTMASTER, PGC_S_DYNAMIC_DEFAULT);
    SetConfigOption("archive_library", "pg_steward", PGC_POSTMASTER, PGC_S_DYNAMIC_DEFAULT);
}

}  // namespace steward

extern "C" {

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
    using namespace steward;
    if (!process_shared_preload_libraries_in_progress) {
        // Loaded by a function call or by the archiver without being preloaded: the functions themselves say what to do.
        if (GetConfigOption("steward.repository", true, false) == nullptr) define_settings();
        return;
    }
    define_settings();
    default_archiving_to_on();
    install_shared_state_hooks();
    register_static_workers();
}
}
