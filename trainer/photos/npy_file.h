#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

// Reads NumPy's .npy files of float32 and of truth values (face/base/npy_header.h writes them).
// Facts of the format (numpy.lib.format): "\x93NUMPY", version (two bytes), length of the header
// (u16 in version 1, u32 in 2 and 3), the header, a Python dictionary with "descr", "fortran_order"
// and "shape" that is padded with blanks and ends in a line break, then the values. Little-endian.
namespace facegate {

struct NpyArray {
  std::vector<size_t> shape;
  std::vector<float> values;  // in C order: the last index runs fastest
};

// True when bytes begin as a .npy file does.
bool IsNpy(std::string_view bytes);

// kInvalidArgument, saying what was expected, for anything but one whole array of little-endian
// float32 in C order. Allocates no more than the bytes hold.
StatusOr<NpyArray> ParseNpy(std::string_view bytes);

// The same for one row of truth values ('|b1', a byte each), as it lies beside a set of pairs.
StatusOr<std::vector<bool>> ParseNpyTruths(std::string_view bytes);

}  // namespace facegate
