// What the server stores of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677).
#pragma once

#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace steward {

/// Iterations and bytes of salt that the server uses by itself (src/include/common/scram-common.h, 13 to 19).
inline constexpr int kScramIterations = 4096;
inline constexpr size_t kScramSaltSize = 16;

/// Make "SCRAM-SHA-256$ITERATIONS:SALT$StoredKey:ServerKey" of `password`, which is prepared (saslprep) here. The text has letters,
/// digits and "+/=:$-" only. Whoever has it can try passwords on it: it is not for everybody. Pure.
/// @param iterations  1 or more
/// Errors: invalid_argument for too few iterations; internal when the library refuses.
Result<std::string> scram_verifier(std::string_view password, ByteView salt, int iterations);

enum class VerifierKind { kNone, kScram, kMd5, kOther };

/// "none", "scram-sha-256", "md5", "unknown".
std::string_view to_string(VerifierKind kind);

/// What kind of pg_authid.rolpassword this is, by the rules of get_password_type in src/backend/libpq/crypt.c. Empty is none. Pure.
VerifierKind kind_of_verifier(std::string_view verifier);

/// Whether `verifier` is a SCRAM verifier of `password`, found out with its own salt and iterations. Pure.
bool is_verifier_of(std::string_view verifier, std::string_view password);

/// Make a password of 26 letters and digits, 5 bits each and so 130 in all; none looks like another one. Uses the first 26 bytes
/// of `random`, which has them, and wipes nothing of it. Pure.
Secret password_of(ByteView random);
inline constexpr size_t kGeneratedPasswordSize = 26;

}  // namespace steward
