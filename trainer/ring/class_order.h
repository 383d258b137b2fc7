#pragma once

#include <cstddef>
#include <vector>

#include "trainer/photos/idx_file.h"

namespace facegate {

// The classes in the order of a short closed tour through their mean pictures: neighbours look
// alike. A permutation of 0 to classes - 1, which follows from the digits alone.
std::vector<size_t> OrderByLikeness(const DigitSet& digits, size_t classes);

}  // namespace facegate
