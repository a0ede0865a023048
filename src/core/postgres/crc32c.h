// CRC-32C (Castagnoli): the checksum of pg_control, of WAL records and of our own pieces.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace steward {

/// The CRC-32C of `bytes`, going on from `crc`, the value of what came before (0 at the beginning):
/// `crc32c(b, crc32c(a)) == crc32c(ab)`. The same values as PostgreSQL's INIT/COMP/FIN_CRC32C. Any thread.
uint32_t crc32c(ByteView bytes, uint32_t crc = 0);

/// The value of a followed by b, from the values of both and b's length in bytes, without their content. O(log length).
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);

/// The value of `length` zeros. O(log² length).
uint32_t crc32c_of_zeros(uint64_t length);

}  // namespace steward
