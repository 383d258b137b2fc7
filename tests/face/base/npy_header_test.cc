#include "face/base/npy_header.h"

#include <gtest/gtest.h>

#include <string>

namespace facegate {
namespace {

// What numpy.save writes, for a dictionary that ends with this shape.
std::string HeaderOfNumPy(const std::string& shape) {
  const std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
  const std::string start("\x93NUMPY\x01\x00\x76\x00", 10);
  return start + text + std::string(117 - text.size(), ' ') + "\n";
}

TEST(NpyHeaderTest, WritesTheBytesThatNumPyWrites) {
  EXPECT_EQ(NpyHeader({2, 2}), HeaderOfNumPy("(2, 2)"));
  EXPECT_EQ(NpyHeader({512}), HeaderOfNumPy("(512,)"));
}

TEST(NpyHeaderTest, HasOneLengthForAnyNumberOfRows) {
  const size_t many = 1'000'000'000'000;
  EXPECT_EQ(NpyHeader({0, 1}).size(), kNpyHeaderBytes);
  EXPECT_EQ(NpyHeader({many, 65536}).size(), kNpyHeaderBytes);
  EXPECT_EQ(NpyHeader({many, 65536}).back(), '\n');
}

}  // namespace
}  // namespace facegate
