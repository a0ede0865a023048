#include "program/random_number.h"

#include <random>

namespace steward {

uint64_t random_number() {
    std::random_device source;
    return uint64_t{source()} << 32 | source();
}

}  // namespace steward
