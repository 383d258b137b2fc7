#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace facegate {

// How many bytes NpyHeader() has: always as many, so that it can be written last.
inline constexpr size_t kNpyHeaderBytes = 128;

// Makes what stands before the values of a NumPy file (.npy, version 1.0) of little-endian float32
// in C order. The shape has one or two dimensions.
std::string NpyHeader(const std::vector<size_t>& shape);

}  // namespace facegate
