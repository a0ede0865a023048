// pg_hba.conf, as far as it is looked at without a server.
#pragma once

#include <string_view>

namespace steward {

/// Whether some line of this pg_hba.conf may ask for a password that the server itself checks: its method is scram-sha-256, md5 or
/// password, or it includes other files. Pure.
bool may_ask_for_passwords(std::string_view hba);

}  // namespace steward
