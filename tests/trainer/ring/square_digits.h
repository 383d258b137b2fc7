#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "face/base/file.h"
#include "face/base/random.h"
#include "tests/support/status_matchers.h"
#include "trainer/photos/idx_file.h"

namespace facegate {

// Pictures that a small network tells apart after a few steps: a bright square whose place is the
// class, on noise.
inline DigitSet Squares(size_t count, uint64_t seed) {
  constexpr size_t kSide = 28;
  DigitSet digits{.rows = kSide, .columns = kSide, .pixels = {}, .labels = {}};
  digits.pixels.reserve(count * kSide * kSide);
  RandomStream random(seed);
  for (size_t i = 0; i < count; ++i) {
    const size_t label = i % 10;
    digits.labels.push_back(static_cast<uint8_t>(label));
    const size_t top = 2 + 12 * (label / 5) + random.Below(3);
    const size_t left = 1 + 5 * (label % 5) + random.Below(2);
    for (size_t y = 0; y < kSide; ++y) {
      for (size_t x = 0; x < kSide; ++x) {
        const bool inside = y >= top && y < top + 8 && x >= left && x < left + 4;
        digits.pixels.push_back(static_cast<char>(random.Below(60) + (inside ? 180 : 0)));
      }
    }
  }
  return digits;
}

inline std::string BigEndian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

// The first `count` digits as files in `folder`, in MNIST's own format; `part` is how their names
// begin: "train" or "t10k".
inline void WriteDigits(const DigitSet& digits, size_t count, const std::string& part,
                        const std::string& folder) {
  const auto number = static_cast<uint32_t>(count);
  std::string images = BigEndian(0x803) + BigEndian(number) + BigEndian(28) + BigEndian(28);
  images.append(digits.pixels.begin(),
                digits.pixels.begin() + static_cast<ptrdiff_t>(count * 28 * 28));
  std::string labels = BigEndian(0x801) + BigEndian(number);
  labels.append(digits.labels.begin(), digits.labels.begin() + static_cast<ptrdiff_t>(count));
  ASSERT_THAT(WriteFileAtomically(folder + "/" + part + "-images-idx3-ubyte", images), IsOk());
  ASSERT_THAT(WriteFileAtomically(folder + "/" + part + "-labels-idx1-ubyte", labels), IsOk());
}

}  // namespace facegate
