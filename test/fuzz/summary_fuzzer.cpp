// The first line of a manifest: what is understood renders to itself.

#include "core/repository/backup_summary.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Result<BackupSummary> summary = parse_summary(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!summary.ok()) return 0;
    const std::string line = render_summary(*summary);
    const Result<BackupSummary> again = parse_summary(line);
    if (!again.ok() || render_summary(*again) != line) __builtin_trap();
    return 0;
}
