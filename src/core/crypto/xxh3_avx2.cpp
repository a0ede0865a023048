#include "core/crypto/xxh3_avx2.h"

// Nothing but xxHash may be compiled with the wider instructions: what else is inline in a header could be the copy that the linker
// keeps for all. So every header of ours and of the library is read before.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#pragma GCC push_options
#pragma GCC target("avx2")
#define XXH_VECTOR 2  // XXH_AVX2
#include <xxhash.h>

namespace steward {

bool xxh3_has_avx2() { return __builtin_cpu_supports("avx2"); }

Xxh3Hash xxh3_128_avx2(ByteView content) {
    const XXH128_hash_t hash = XXH3_128bits(content.data(), content.size());
    return {hash.low64, hash.high64};
}

}  // namespace steward
#pragma GCC pop_options

#else

#include <xxhash.h>

namespace steward {

bool xxh3_has_avx2() { return false; }

Xxh3Hash xxh3_128_avx2(ByteView content) {
    const XXH128_hash_t hash = XXH3_128bits(content.data(), content.size());
    return {hash.low64, hash.high64};
}

}  // namespace steward
#endif
