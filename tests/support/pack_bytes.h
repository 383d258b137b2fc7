#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/photos/pack_format.h"

namespace facegate {

// A whole pack of these records and identities; the views end with the call.
std::string PackBytes(const std::vector<PackRecord>& records,
                      const std::vector<std::string>& classes);
// A pack of one record whose index says something else.
std::string PackWithIndex(const std::vector<PackEntry>& entries);
// `pack` with another number in its footer (0 photos, 1 classes, 2 index offset, 3 names offset)
// and a sum that fits.
std::string WithFooterNumber(std::string pack, size_t field, uint64_t value);

}  // namespace facegate
