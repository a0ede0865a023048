// Where repositories are, as operators write it, and the one place that knows every driver.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/file_storage.h"
#include "core/storage/storage.h"

namespace steward {

enum class StorageScheme { kFile };

/// A repository's address, taken apart and checked, without secrets.
struct StorageUrl {
    StorageScheme scheme = StorageScheme::kFile;
    std::filesystem::path path;  ///< kFile: absolute, without trailing slash

    /// Return the one spelling of this address; parse_repository_url of it gives the same value.
    std::string to_string() const;
    bool operator==(const StorageUrl&) const = default;
};

struct StorageOptions {
    const Clock& clock;   ///< for drivers that sign requests; must outlive the storage
    bool create = false;  ///< make the repository's place where it is missing, as far as the driver can (file: the directory)
    StorageAccess access = StorageAccess::kReadWrite;
};

/// Parse one address: "file:///srv/pg", "file:/srv/pg" (RFC 8089, percent-encoded), or "/srv/pg" taken as it stands.
/// Errors: configuration, with a hint.
Result<StorageUrl> parse_repository_url(std::string_view text);

/// Parse addresses separated by commas, with blanks around them; at least one, none twice. A comma within a path is
/// written "%2C" in a file URL. Errors: configuration.
Result<std::vector<StorageUrl>> parse_repository_list(std::string_view text);

/// Open the store at `url`. Errors: as the driver's open.
Result<std::unique_ptr<Storage>> open_storage(const StorageUrl& url, const StorageOptions& options);

}  // namespace steward
