// Listing a file repository in the order of keys, which is not the order of directories.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/storage/storage.h"

namespace steward {

/// Return one page of the objects below `root`, as Storage::list.
///
/// Reads only the directories that can hold keys with this prefix and after this page token: O(their entries), not
/// O(objects), and looks only at the files of the page. What is no object is passed over: other kinds of files, names that
/// are no valid key, the directory of temporary files, lost+found.
Result<ListPage> list_files(const std::filesystem::path& root, std::string_view prefix, std::string_view page, size_t limit);

}  // namespace steward
