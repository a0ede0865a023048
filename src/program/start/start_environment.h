// The environment variables of `pg_steward start`, and what is left of them for the server.
#pragma once

#include <map>
#include <string>

#include "core/crypto/secret.h"

namespace steward {

struct StartEnvironment {
    std::map<std::string, std::string, std::less<>> variables;  ///< as make_start_request takes them
    Secret password;                                            ///< POSTGRES_PASSWORD's value; empty when there is none
};

/// Take the variables out of the environment: the secret one and the one that leads to it are gone afterwards, the value overwritten, so that
/// neither this process, nor the server, nor its children show it. Call before any thread is started.
StartEnvironment take_start_environment();

}  // namespace steward
