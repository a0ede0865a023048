// Roles as a server in single-user mode sees and changes them.
#pragma once

#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/postgres/role_list.h"
#include "program/single_user/single_user_session.h"

namespace steward {

/// All roles, in order of OID. Errors: server_raised; cancelled.
Result<std::vector<Role>> select_roles(SingleUserSession& session, const CancelToken& cancel);

/// The iterations of new verifiers: scram_iterations, which came with 16. Errors: as above.
Result<int> select_scram_iterations(SingleUserSession& session, const CancelToken& cancel);

/// Run `statement`, and read back that the role is now as `wanted`. Once it is sent this is not interrupted. Errors: server_raised.
Result<void> change_role(SingleUserSession& session, const std::string& statement, const Role& wanted);

}  // namespace steward
