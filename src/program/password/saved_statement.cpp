#include "program/password/saved_statement.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/format.h"

namespace steward {

Result<SavedStatement> SavedStatement::open(const std::filesystem::path& path) {
    TRY_ASSIGN(UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_NOFOLLOW));
    struct stat st;
    if (::fstat(fd.get(), &st) != 0) return Error::from_errno(errno, formatted("could not stat file \"{}\"", path.native())).object(path.native());
    if (!S_ISREG(st.st_mode) || st.st_size != 0)
        return Error(ErrorCode::already_exists, formatted("file \"{}\" exists", path.native())).hint("Name another file with --save-old.").object(path.native());
    if (::fchmod(fd.get(), 0600) != 0)
        return Error::from_errno(errno, formatted("could not change permissions of \"{}\"", path.native())).object(path.native());
    TRY(sync_directory(path.parent_path()));
    return SavedStatement(std::move(fd), path);
}

SavedStatement::~SavedStatement() {
    if (fd_.valid() && !written_) ::unlink(path_.c_str());
}

Result<void> SavedStatement::write(const std::string& statement) {
    TRY(write_all(fd_.get(), as_bytes(statement), path_));
    TRY(sync_file(fd_.get(), path_));
    written_ = true;
    return {};
}

}  // namespace steward
