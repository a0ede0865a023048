#include "program/start/start_environment.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <cstring>

#include "core/start/start_request.h"

namespace steward {

StartEnvironment take_start_environment() {
    StartEnvironment environment;
    for (const std::string_view variable : kStartVariables) {
        const std::string name(variable);
        char* const value = std::getenv(name.c_str());
        if (value == nullptr) continue;
        if (variable == kPasswordVariable) {
            environment.password.append(value);
            environment.variables.emplace(name, environment.password.empty() ? "" : "given");
            // The text lies where /proc/PID/environ shows it.
            OPENSSL_cleanse(value, std::strlen(value));
        } else {
            environment.variables.emplace(name, value);
        }
        if (variable == kPasswordVariable || variable == kPasswordFileVariable) ::unsetenv(name.c_str());
    }
    return environment;
}

}  // namespace steward
