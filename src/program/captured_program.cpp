#include "program/captured_program.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/child_process.h"

namespace steward {

namespace {

/// A file without a name, which a program may fill without anybody reading meanwhile.
Result<UniqueFd> make_memory_file() {
    UniqueFd file(::memfd_create("output", MFD_CLOEXEC));
    if (!file.valid()) return Error::from_errno(errno, "could not create a file in memory");
    return file;
}

Result<std::string> content_of(const UniqueFd& file) {
    struct stat st;
    if (::fstat(file.get(), &st) != 0) return Error::from_errno(errno, "could not look at a program's output");
    std::string text(static_cast<size_t>(st.st_size), '\0');
    TRY_ASSIGN(const size_t n, read_at(file.get(), 0, MutableByteView(reinterpret_cast<std::byte*>(text.data()), text.size()), "a program's output"));
    text.resize(n);
    return text;
}

}  // namespace

std::string CapturedProgram::failure() const { return formatted("it {}:\n{}", describe_end(status), last_lines_of(output + errors)); }

Result<CapturedProgram> run_captured(std::vector<std::string> command, RetryTimer& timer, const CancelToken& cancel) {
    TRY_ASSIGN(const UniqueFd output, make_memory_file());
    TRY_ASSIGN(const UniqueFd errors, make_memory_file());
    TRY_ASSIGN(ChildProcess child, ChildProcess::start(std::move(command), {kNoInput, output.get(), errors.get()}, ChildPriority::kOwn, SIGKILL));
    CapturedProgram program;
    TRY_ASSIGN(program.status, child.wait(timer, cancel));
    TRY_ASSIGN(program.output, content_of(output));
    TRY_ASSIGN(program.errors, content_of(errors));
    return program;
}

}  // namespace steward
