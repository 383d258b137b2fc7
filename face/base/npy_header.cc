#include "face/base/npy_header.h"

#include <fmt/format.h>

#include <cstdint>

#include "face/base/coding.h"

namespace facegate {

std::string NpyHeader(const std::vector<size_t>& shape) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  AppendLittleEndian<uint16_t>(bytes, kNpyHeaderBytes - 10);
  // A tuple of Python, which has a comma behind its only number.
  bytes += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
                       fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  bytes.resize(kNpyHeaderBytes - 1, ' ');
  bytes.push_back('\n');
  return bytes;
}

}  // namespace facegate
