#pragma once

#include <span>
#include <string>

namespace facegate {

// A one-dimensional little-endian float32 array in NumPy's file format, version 1.0: the magic
// "\x93NUMPY", version bytes 1 0, the header's length as u16 little-endian, the header as a Python
// dict padded with spaces and ended by a newline so that the data begins at a multiple of 64, the
// values.
std::string NpyBytes(std::span<const float> values);

}  // namespace facegate
