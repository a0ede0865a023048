#include "program/permissions/change_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr size_t kBuffer = 1 << 16;
constexpr uint64_t kLongestList = uint64_t{1} << 31;

}  // namespace

Result<void> ChangeFile::create() {
    Result<UniqueFd> fd = open_file(path_, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!fd.ok())
        return std::move(fd).error().hint("Name another file for the way back with --save-old.").context("while beginning the list of what is changed");
    fd_ = std::move(*fd);
    TRY(sync_directory(path_.parent_path()));
    pending_ = formatted("{}\n", kChangeListHeader);
    handed_out_ = pending_.size();
    return {};
}

Result<void> ChangeFile::flush() {
    TRY(write_at(fd_.get(), size_, as_bytes(pending_), path_));
    size_ += pending_.size();
    pending_.clear();
    return {};
}

Result<void> ChangeFile::add(const RightsChange& change) {
    if (!fd_.valid()) TRY(create());
    pending_ += render_change(change);
    has_new_ = true;
    return pending_.size() < kBuffer ? Result<void>() : flush();
}

Result<void> ChangeFile::sync() {
    if (!fd_.valid()) return {};
    TRY(flush());
    return sync_file(fd_.get(), path_);
}

Result<void> ChangeFile::for_each_new(const std::function<Result<void>(const RightsChange&)>& take) {
    std::string text;
    while (handed_out_ < size_ || !text.empty()) {
        Bytes buffer(kBuffer);
        TRY_ASSIGN(const size_t count, read_at(fd_.get(), handed_out_, buffer, path_));
        handed_out_ += count;
        text += as_text(ByteView(buffer).first(count));
        size_t begin = 0;
        for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
            TRY_ASSIGN(const RightsChange change, parse_change(std::string_view(text).substr(begin, end - begin)));
            TRY(take(change));
        }
        text.erase(0, begin);
        if (count == 0 && !text.empty()) return Error(ErrorCode::corrupt_object, formatted("file \"{}\" was cut short", path_.native())).object(path_.native());
    }
    has_new_ = false;
    return {};
}

Result<std::vector<RightsChange>> read_change_file(const fs::path& path) {
    TRY_ASSIGN(const UniqueFd fd, open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    struct stat st;
    if (::fstat(fd.get(), &st) != 0) return Error::from_errno(errno, formatted("could not stat file \"{}\"", path.native())).object(path.native());
    if (!S_ISREG(st.st_mode) || st.st_uid != ::geteuid() || (st.st_mode & 0022) != 0)
        return Error(ErrorCode::permission_denied, formatted("list of changes \"{}\" is not this user's alone", path.native()))
            .detail("Whoever can write it would decide what is changed.")
            .hint("Use the list as \"pg_steward permissions fix\" left it, as the user who ran that.")
            .object(path.native());
    if (static_cast<uint64_t>(st.st_size) > kLongestList)
        return Error(ErrorCode::corrupt_object, formatted("list of changes \"{}\" is too long", path.native())).object(path.native());
    Bytes content(static_cast<size_t>(st.st_size));
    TRY_ASSIGN(const size_t count, read_at(fd.get(), 0, content, path));
    std::string_view text = as_text(ByteView(content).first(count));

    std::vector<RightsChange> changes;
    bool header = true;
    for (size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
        const std::string_view line = text.substr(0, end);
        if (std::exchange(header, false)) {
            if (line == kChangeListHeader) continue;
            return Error(ErrorCode::corrupt_object, formatted("file \"{}\" is no list of changes of this release", path.native())).object(path.native());
        }
        TRY_ASSIGN(RightsChange change, parse_change(line));
        changes.push_back(std::move(change));
    }
    return changes;
}

}  // namespace steward
