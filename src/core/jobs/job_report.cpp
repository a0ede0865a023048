#include "core/jobs/job_report.h"

#include <system_error>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/protocol/frame.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

fs::path reports_in(const fs::path& directory) { return directory / "reports"; }

std::string file_name(std::string_view job, uint64_t number) { return formatted("{}-{}.json", job, number); }

/// What cannot be removed now is removed after the next run.
void remove_earlier(const fs::path& reports, std::string_view job, const std::string& newest) {
    const std::string prefix = formatted("{}-", job);
    std::error_code ignored;
    for (fs::directory_iterator entry(reports, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
        const std::string name = entry->path().filename().native();
        std::error_code not_removed;
        if (name.starts_with(prefix) && name != newest) fs::remove(entry->path(), not_removed);
    }
}

}  // namespace

Result<void> store_job_report(const fs::path& directory, std::string_view job, uint64_t number, std::string_view report) {
    const fs::path reports = reports_in(directory);
    const std::string name = file_name(job, number);
    TRY(create_directories_durably(reports));
    TRY(write_file_durably(reports / name, as_bytes(report)));
    remove_earlier(reports, job, name);
    return {};
}

Result<std::string> read_job_report(const fs::path& directory, std::string_view job, uint64_t number) {
    // It came through one frame.
    TRY_ASSIGN(const Bytes content, read_file(reports_in(directory) / file_name(job, number), kMaxFrameText));
    return std::string(as_text(content));
}

}  // namespace steward
