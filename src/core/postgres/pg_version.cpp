#include "core/postgres/pg_version.h"

#include <charconv>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"

namespace steward {

Result<int> parse_pg_version(std::string_view content) {
    std::string_view text = content;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
    int major = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), major);
    const bool whole = end == text.data() + text.size();
    if (error != std::errc() || major <= 0 || major > 999 || (!whole && *end != '.'))
        return Error(ErrorCode::corrupt_object, formatted("invalid content of file \"PG_VERSION\": \"{}\"", text.substr(0, 32)))
            .object("PG_VERSION");
    if (!whole || major < 10)
        return Error(ErrorCode::wrong_version, formatted("PostgreSQL {} is not supported", text.substr(0, 32)))
            .hint("Upgrade the cluster to a supported release with that release's own pg_upgrade.");
    return major;
}

Result<int> read_pg_version(const std::filesystem::path& data_directory) {
    const auto path = data_directory / "PG_VERSION";
    auto content = read_file(path, 1024);
    if (!content.ok() && content.error().code() == ErrorCode::not_found)
        return Error(ErrorCode::not_found,
                     formatted("directory \"{}\" is no PostgreSQL data directory", data_directory.native()))
            .object(data_directory.native())
            .detail("It has no file \"PG_VERSION\".")
            .hint("Name the directory that \"SHOW data_directory\" prints.");
    if (!content.ok()) return std::move(content).error();
    return parse_pg_version(as_text(*content)).context([&] { return formatted("while reading file \"{}\"", path.native()); });
}

}  // namespace steward
