#include "core/upgrade/initdb_arguments.h"

namespace steward {

namespace {

/// From this major on initdb turns checksums on unless it is told otherwise, and knows how to be told.
constexpr int kFirstWithChecksumsByDefault = 18;
constexpr int kFirstWithLocaleProviders = 15;
constexpr int kFirstWithIcuRules = 16;

void add_locale(std::vector<std::string>& arguments, const ClusterTraits& old, int to) {
    arguments.insert(arguments.end(), {"--lc-collate=" + old.collate, "--lc-ctype=" + old.ctype});
    if (to < kFirstWithLocaleProviders) return;
    switch (old.locale_provider) {
        case 'i':
            arguments.insert(arguments.end(), {"--locale-provider=icu", "--icu-locale=" + old.locale});
            if (!old.icu_rules.empty() && to >= kFirstWithIcuRules) arguments.push_back("--icu-rules=" + old.icu_rules);
            break;
        case 'b': arguments.insert(arguments.end(), {"--locale-provider=builtin", "--builtin-locale=" + old.locale}); break;
        default: arguments.emplace_back("--locale-provider=libc");
    }
}

}  // namespace

std::vector<std::string> initdb_arguments(const ClusterTraits& old, int to) {
    std::vector<std::string> arguments = {"--username=" + old.superuser, "--encoding=" + old.encoding};
    add_locale(arguments, old, to);
    if (old.data_checksums)
        arguments.emplace_back("--data-checksums");
    else if (to >= kFirstWithChecksumsByDefault)
        arguments.emplace_back("--no-data-checksums");
    if (old.group_access) arguments.emplace_back("--allow-group-access");
    arguments.push_back("--wal-segsize=" + std::to_string(old.wal_segment_mb));
    return arguments;
}

}  // namespace steward
