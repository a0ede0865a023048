#include "core/storage/file_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/file_object_error.h"
#include "core/storage/file_time.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

/// Tell whether an entry of `directory` is one itself, following links.
bool is_directory(DIR* directory, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return entry.d_type == DT_DIR;
    struct stat st;
    return ::fstatat(::dirfd(directory), entry.d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/// One call of list_files.
class Listing {
public:
    Listing(const fs::path& root, std::string_view prefix, std::string_view page, size_t limit)
        : root_(root), prefix_(prefix), page_(page), limit_(limit) {}

    /// Add the objects below `directory` ("" or ending in a slash) until there is one more than the page holds.
    Result<void> add_directory(const std::string& directory);

    ListPage take() {
        ListPage listed;
        if (full()) {
            objects_.pop_back();
            listed.next = objects_.back().key;
        }
        listed.objects = std::move(objects_);
        return listed;
    }

private:
    bool full() const { return objects_.size() > limit_; }

    /// A directory's keys all begin with its own name and a slash, so it sorts, whole, where that text does: this is what
    /// puts "a-b" before "a/b".
    bool may_hold_objects(std::string_view directory) const {
        return (directory.starts_with(prefix_) || prefix_.starts_with(directory)) &&
               (directory > page_ || page_.starts_with(directory));
    }
    bool is_wanted(std::string_view key) const { return key > page_ && key.starts_with(prefix_); }

    /// Read the entries worth a look, directories with a slash at the end, in no order.
    Result<std::vector<std::string>> read_entries(const std::string& directory) const;
    Result<void> add_file(std::string key);

    const fs::path& root_;
    const std::string_view prefix_;
    const std::string_view page_;
    const size_t limit_;
    std::vector<ObjectInfo> objects_;
};

Result<std::vector<std::string>> Listing::read_entries(const std::string& directory) const {
    std::vector<std::string> entries;
    const std::unique_ptr<DIR, CloseDirectory> stream(::opendir((root_ / directory).c_str()));
    if (!stream) {
        // Removed meanwhile, or the prefix runs through an object: nothing is below it either way.
        if (errno == ENOENT || errno == ENOTDIR) return entries;
        return file_object_error(errno, "list", directory, root_);
    }
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) break;
        std::string key = directory + entry->d_name;
        const bool descend = is_directory(stream.get(), *entry);
        if (descend) key += '/';
        if (!(descend ? may_hold_objects(key) : is_wanted(key))) continue;
        if (!check_key(std::string_view(key).substr(0, key.size() - (descend ? 1 : 0))).ok()) continue;
        entries.push_back(std::move(key));
    }
    if (errno != 0) return file_object_error(errno, "list", directory, root_);
    return entries;
}

Result<void> Listing::add_file(std::string key) {
    struct stat st;
    if (::stat((root_ / key).c_str(), &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return {};  // removed meanwhile
        return file_object_error(errno, "stat", key, root_);
    }
    if (!S_ISREG(st.st_mode)) return {};
    objects_.push_back({std::move(key), static_cast<uint64_t>(st.st_size), modification_time(st)});
    return {};
}

Result<void> Listing::add_directory(const std::string& directory) {
    TRY_ASSIGN(std::vector<std::string> entries, read_entries(directory));
    // A heap, because of a directory of a hundred thousand files a page needs only the first thousand in order.
    std::make_heap(entries.begin(), entries.end(), std::greater<>());
    while (!entries.empty() && !full()) {
        std::pop_heap(entries.begin(), entries.end(), std::greater<>());
        std::string entry = std::move(entries.back());
        entries.pop_back();
        if (entry.ends_with('/')) {
            TRY(add_directory(entry));
        } else {
            TRY(add_file(std::move(entry)));
        }
    }
    return {};
}

}  // namespace

Result<ListPage> list_files(const fs::path& root, std::string_view prefix, std::string_view page, size_t limit) {
    const size_t slash = prefix.rfind('/');
    const std::string start(slash == std::string_view::npos ? std::string_view() : prefix.substr(0, slash + 1));
    // No key begins with a text that cannot begin one; "../" must not lead anywhere.
    if (!start.empty() && !check_key(std::string_view(start).substr(0, slash)).ok()) return ListPage{};
    Listing listing(root, prefix, page, limit);
    TRY(listing.add_directory(start));
    return listing.take();
}

}  // namespace steward
