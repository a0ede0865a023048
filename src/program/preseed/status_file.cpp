#include "program/preseed/status_file.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "core/base/file.h"
#include "program/console.h"

namespace steward {

namespace {

constexpr mode_t kMode = 0644;  // whoever waits for the server may be another user
constexpr uint64_t kMostBytes = 1 << 20;

}  // namespace

StatusFile::StatusFile(std::filesystem::path path, const std::filesystem::path& directory, const Clock& clock) : path_(std::move(path)), clock_(clock) {
    const Result<Bytes> earlier = read_file(path_, kMostBytes);
    status_.attempt = earlier.ok() ? next_attempt(as_text(*earlier)) : 1;
    status_.directory = directory.native();
    status_.pid = ::getpid();
    status_.started = clock.now();
}

void StatusFile::decide(const SeedDecision& decision) {
    status_.decision = to_string(decision.action);
    status_.reason = decision.reason;
    status_.system_identifier = decision.system_identifier;
}

void StatusFile::enter(SeedState state) {
    status_.state = state;
    status_.updated = clock_.now();
    if (state == SeedState::kDone) status_.exit_status = 0;
    const Result<void> written = write_file_durably(path_, as_bytes(render_seed_status(status_)), kMode);
    if (!written.ok() && !std::exchange(warned_, true))
        report_warning(Error(written.error()).hint("Name a place for the status file with --status-file."));
}

void StatusFile::end(SeedState state, const Error& error) {
    status_.error = error;
    status_.exit_status = info(error.code()).exit_status;
    enter(state);
}

}  // namespace steward
