// How the new major's cluster is to be made, so that pg_upgrade takes it for a target.
#pragma once

#include <string>
#include <vector>

namespace steward {

/// What initdb decides once and for all, read from the old cluster.
struct ClusterTraits {
    int major = 0;
    std::string superuser;      ///< the role with OID 10
    std::string encoding;       ///< of template0, as pg_encoding_to_char spells it
    char locale_provider = 'c'; ///< of template0: 'c' libc, 'i' ICU, 'b' builtin; always 'c' before 15
    std::string collate;        ///< of template0
    std::string ctype;
    std::string locale;         ///< of the provider, when that is not libc
    std::string icu_rules;      ///< may be empty
    bool data_checksums = false;
    bool group_access = false;  ///< the directory's mode is 0750
    int wal_segment_mb = 16;
};

/// Return the arguments of `to`'s initdb but for the directory and for how it authenticates. Pure.
std::vector<std::string> initdb_arguments(const ClusterTraits& old, int to);

}  // namespace steward
