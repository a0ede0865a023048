#include "core/jobs/job_history.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"

namespace steward {

namespace {

constexpr uint64_t kLargestHistory = uint64_t{64} << 20;

std::filesystem::path file_in(const std::filesystem::path& directory) { return directory / "jobs.jsonl"; }

/// Whether the last line was cut off: the machine stopped while it was written.
Result<bool> ends_within_line(int fd, const std::filesystem::path& path) {
    struct stat st;
    if (::fstat(fd, &st) != 0) return Error::from_errno(errno, formatted("could not stat file \"{}\"", path.native()));
    if (st.st_size == 0) return false;
    std::byte last{};
    TRY_ASSIGN(const size_t n, read_at(fd, static_cast<uint64_t>(st.st_size) - 1, MutableByteView(&last, 1), path));
    return n == 1 && last != std::byte{'\n'};
}

}  // namespace

Result<JobHistory> read_job_history(const std::filesystem::path& directory) {
    const Result<Bytes> content = read_file(file_in(directory), kLargestHistory);
    if (!content.ok()) {
        if (content.error().code() == ErrorCode::not_found) return JobHistory{};
        return content.error();
    }
    const std::string_view text = as_text(*content);
    return JobHistory{fold_job_records(text), static_cast<size_t>(std::ranges::count(text, '\n'))};
}

Result<void> append_job_record(const std::filesystem::path& directory, const JobRecord& record) {
    const std::filesystem::path path = file_in(directory);
    TRY(create_directories_durably(directory));
    std::error_code ignored;
    const bool is_new = !std::filesystem::exists(path, ignored);
    TRY_ASSIGN(const UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_APPEND));
    TRY_ASSIGN(const bool cut_off, ends_within_line(file.get(), path));
    const std::string line = (cut_off ? "\n" : "") + render_job_record(record);
    TRY(write_all(file.get(), as_bytes(line), path));
    TRY(sync_file(file.get(), path));
    if (is_new) TRY(sync_directory(directory));
    return {};
}

Result<size_t> compact_job_history(const std::filesystem::path& directory, size_t keep) {
    TRY_ASSIGN(const JobHistory history, read_job_history(directory));
    const std::vector<JobRecord> kept = kept_records(history.records, keep);
    std::string text;
    for (const JobRecord& record : kept) text += render_job_record(record);
    TRY(write_file_durably(file_in(directory), as_bytes(text)));
    return kept.size();
}

}  // namespace steward
