#include "core/storage/storage_url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

/// Schemes of the design that this release does not build.
constexpr std::array<std::string_view, 3> kPlannedSchemes = {"s3", "gs", "azure"};
constexpr std::string_view kHowToWrite = "Write a local directory, as in \"file:///srv/pg\" or \"/srv/pg\".";

/// The text is quoted only where it is known to hold a path: addresses of other schemes may carry credentials.
Error url_error(std::string message) {
    return Error(ErrorCode::configuration, std::move(message)).hint(std::string(kHowToWrite));
}

std::string_view trim(std::string_view text) {
    const size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// Return the scheme in lower case if `text` begins with one (RFC 3986: a letter, then letters, digits, "+", "-", ".").
std::optional<std::string> scheme_of(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    std::string scheme;
    for (const char c : text.substr(0, colon)) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool letter = lower >= 'a' && lower <= 'z';
        const bool other = (lower >= '0' && lower <= '9') || lower == '+' || lower == '-' || lower == '.';
        if (!letter && (!other || scheme.empty())) return std::nullopt;
        scheme += lower;
    }
    return scheme;
}

Result<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        unsigned value = 0;
        const std::string_view digits = text.substr(i + 1, 2);
        const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (digits.size() != 2 || fault != std::errc() || end != digits.data() + 2)
            return url_error(formatted("invalid percent-encoding in repository path \"{}\"", text));
        decoded += static_cast<char>(value);
        i += 2;
    }
    return decoded;
}

/// Check an absolute path, already decoded.
Result<StorageUrl> file_address(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    if (path.find('\0') != std::string_view::npos) return url_error("repository path contains a null byte");
    if (path == "/") return url_error("the root directory cannot be a repository");
    for (const auto& segment : std::filesystem::path(path))
        if (segment == "." || segment == "..")
            return url_error(formatted("repository path \"{}\" contains \".\" or \"..\"", path)).object(std::string(path));
    return StorageUrl{StorageScheme::kFile, std::filesystem::path(path)};
}

/// `rest` is what follows "file:".
Result<StorageUrl> parse_file_url(std::string_view rest) {
    if (rest.starts_with("//")) {
        rest.remove_prefix(2);
        const std::string_view host = rest.substr(0, rest.find('/'));
        if (!host.empty() && host != "localhost")
            return url_error("repository URL of scheme \"file\" names a host")
                .hint("A local path needs three slashes, as in \"file:///srv/pg\".");
        rest.remove_prefix(host.size());
    }
    if (!rest.starts_with('/')) return url_error(formatted("repository path \"{}\" is not absolute", rest));
    if (rest.find_first_of("?#") != std::string_view::npos)
        return url_error(formatted("repository path \"{}\" contains \"?\" or \"#\"", rest))
            .hint("Write them as \"%3F\" and \"%23\".");
    TRY_ASSIGN(const std::string path, percent_decode(rest));
    return file_address(path);
}

}  // namespace

std::string StorageUrl::to_string() const { return file_url(path); }

Result<StorageUrl> parse_repository_url(std::string_view text) {
    text = trim(text);
    if (text.empty()) return url_error("repository URL is empty");
    if (text.starts_with('/')) return file_address(text);
    const std::optional<std::string> scheme = scheme_of(text);
    if (!scheme) return url_error("repository is neither a URL nor an absolute path");
    if (*scheme == "file") return parse_file_url(text.substr(scheme->size() + 1));
    if (std::find(kPlannedSchemes.begin(), kPlannedSchemes.end(), *scheme) != kPlannedSchemes.end())
        return url_error(formatted("repository scheme \"{}\" is not supported by this release", *scheme));
    return url_error(formatted("unknown repository scheme \"{}\"", *scheme)).detail("The supported scheme is \"file\".");
}

Result<std::vector<StorageUrl>> parse_repository_list(std::string_view text) {
    std::vector<StorageUrl> urls;
    for (;;) {
        const size_t comma = text.find(',');
        TRY_ASSIGN(StorageUrl url, parse_repository_url(text.substr(0, comma)));
        if (std::find(urls.begin(), urls.end(), url) != urls.end())
            return Error(ErrorCode::configuration, formatted("repository \"{}\" is listed twice", url.to_string()))
                .object(url.to_string())
                .hint("Name every repository once.");
        urls.push_back(std::move(url));
        if (comma == std::string_view::npos) return urls;
        text.remove_prefix(comma + 1);
    }
}

Result<std::unique_ptr<Storage>> open_storage(const StorageUrl& url, const StorageOptions& options) {
    switch (url.scheme) {
        case StorageScheme::kFile: return FileStorage::open(url.path, {.create = options.create, .access = options.access});
    }
    return Error(ErrorCode::internal, "unknown storage scheme");
}

}  // namespace steward
