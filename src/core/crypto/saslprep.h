// SASLprep (RFC 4013): passwords that look the same are the same.
#pragma once

#include <string_view>

#include "core/crypto/secret.h"

namespace steward {

/// Return what the server and its clients hash for `password`, by the rules of PostgreSQL's src/common/saslprep.c (13 to 19), which are
/// not quite the RFC's: what is all ASCII stays as it is, control characters and all; so does what is no UTF-8 and what SASLprep refuses,
/// what it would leave nothing of among it. What is prohibited is looked for before normalization.
///
/// `password` holds no zero byte. Normalizes by Unicode 3.2: characters that are newer are refused, so that later versions do the same
/// to the rest, but for five ideographs that Unicode 4.0 corrected. Pure.
Secret saslprep(std::string_view password);

}  // namespace steward
