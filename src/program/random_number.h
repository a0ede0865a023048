// Numbers that no other host has.
#pragma once

#include <cstdint>

namespace steward {

/// Return 64 random bits from the operating system. Process context: any.
uint64_t random_number();

}  // namespace steward
