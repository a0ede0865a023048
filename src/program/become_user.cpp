#include "program/become_user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/format.h"

namespace steward {

std::string name_of_user(uid_t user) {
    const passwd* const entry = ::getpwuid(user);
    return entry == nullptr ? std::to_string(user) : entry->pw_name;
}

Result<void> become_user(const FileOwner& owner) {
    if (::geteuid() != 0) return {};
    const passwd* const entry = ::getpwuid(owner.user);
    const gid_t group = entry == nullptr ? owner.group : entry->pw_gid;
    const bool grouped = entry == nullptr ? ::setgroups(1, &group) == 0 : ::initgroups(entry->pw_name, group) == 0;
    if (!grouped || ::setgid(group) != 0 || ::setuid(owner.user) != 0)
        return Error::from_errno(errno, formatted("could not become user \"{}\"", name_of_user(owner.user)));
    return {};
}

}  // namespace steward
