#include "index/rows/vector_code.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "face/base/check.h"
#include "index/rows/code_kernels.h"
#include "index/rows/score_bounds.h"

namespace facegate {
namespace {

constexpr double kUpwards = 1.0 + 1e-6;
constexpr float kLargestCode = 127.0f;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Values are taken four at a time, as vectors of the compiler, which suit any processor.
using Floats [[gnu::vector_size(16)]] = float;
using FloatBits [[gnu::vector_size(16)]] = uint32_t;
using Doubles [[gnu::vector_size(32)]] = double;
constexpr size_t kGroup = kChunkMultiple * kChunkCodes;
constexpr size_t kLanes = sizeof(Floats) / sizeof(float);

inline Floats LoadFour(const float* from) {
  Floats four;
  std::memcpy(&four, from, sizeof(four));
  return four;
}

// The sum of squares, in lanes that do not wait for each other.
struct Squares {
  Doubles lanes{};

  double Root() const { return std::sqrt((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])); }
};

// A float to which a number between -2^22 and 2^22 is added is rounded to an integer, to the
// nearest and between two to the even one, and the last bits of the sum are that integer's.
constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23

float RoundedUp(double norm) {
  return std::nextafter(static_cast<float>(norm * kUpwards),
                        std::numeric_limits<float>::infinity());
}

// Calls `use(first, group)` with kGroup values at a time, from the one with number `first` on; what
// is missing of the last group is zero.
template <typename Use>
void ForEachGroup(std::span<const float> vector, Use use) {
  size_t first = 0;
  for (; first + kGroup <= vector.size(); first += kGroup) use(first, vector.data() + first);
  if (first == vector.size()) return;
  std::array<float, kGroup> last{};
  std::copy(vector.begin() + static_cast<std::ptrdiff_t>(first), vector.end(), last.begin());
  use(first, last.data());
}

struct Measured {
  Squares squares;
  Floats largest{};  // not of values that are no number

  void Add(const float* group) {
    for (size_t i = 0; i < kGroup; i += kLanes) {
      const Floats four = LoadFour(group + i);
      const Doubles values = __builtin_convertvector(four, Doubles);
      squares.lanes += values * values;
      const Floats size = four < 0.0f ? -four : four;
      largest = size > largest ? size : largest;
    }
  }
};

using GroupCodes = std::array<uint8_t, kGroup>;

// The codes of values in units of `scale`, with kCodeOffset added. Adds the squares of what is left
// over to `left`.
inline GroupCodes Encoded(const float* group, float scale, Squares& left) {
  // `scale` is a 127th of the largest value, and both are off by 2^-24 of their value: no code is
  // above 127.
  static_assert(kCodeOffset == 128);
  std::array<uint32_t, kGroup> codes;
  for (size_t i = 0; i < kGroup; i += kLanes) {
    const Floats four = LoadFour(group + i);
    const Floats rounded = four / scale + kRounder;
    FloatBits bits;
    std::memcpy(&bits, &rounded, sizeof(bits));
    bits = (bits & 255U) ^ 128U;
    std::memcpy(codes.data() + i, &bits, sizeof(bits));
    const Floats code = rounded - kRounder;
    // The product has 31 bits, and the difference is exact or off by 2^-53 of its value.
    const Doubles rest = __builtin_convertvector(four, Doubles) -
                         __builtin_convertvector(code, Doubles) * static_cast<double>(scale);
    left.lanes += rest * rest;
  }
  GroupCodes bytes;
  for (size_t i = 0; i < kGroup; ++i) bytes[i] = static_cast<uint8_t>(codes[i]);
  return bytes;
}

// Calls `put(first, codes)` for each group.
template <typename Put>
VectorCode Encode(std::span<const float> vector, Put put) {
  FACEGATE_CHECK(vector.size() <= kLargestCodedDimension);
  Measured measured;
  ForEachGroup(vector, [&](size_t, const float* group) { measured.Add(group); });
  const double norm = measured.squares.Root();
  const float largest = std::max(std::max(measured.largest[0], measured.largest[1]),
                                 std::max(measured.largest[2], measured.largest[3]));
  const float scale = largest / kLargestCode;
  // The first is not true of a norm that is no number.
  const bool is_known = norm <= kLargestNorm;
  if (!is_known || scale < std::numeric_limits<float>::min()) {
    GroupCodes zeros;
    zeros.fill(kCodeOffset);
    ForEachGroup(vector, [&](size_t first, const float*) { put(first, zeros); });
    return {.residual = is_known ? RoundedUp(norm) : static_cast<float>(kInfinity)};
  }
  Squares left;
  ForEachGroup(vector,
               [&](size_t first, const float* group) { put(first, Encoded(group, scale, left)); });
  return {.scale = scale, .residual = RoundedUp(left.Root())};
}

}  // namespace

VectorCode EncodeVector(std::span<const float> vector, std::span<int8_t> codes) {
  FACEGATE_CHECK(vector.size() == codes.size());
  return Encode(vector, [&](size_t first, const GroupCodes& group) {
    const size_t count = std::min(kGroup, codes.size() - first);
    for (size_t i = 0; i < count; ++i) {
      codes[first + i] = static_cast<int8_t>(group[i] - kCodeOffset);
    }
  });
}

VectorCode EncodeRow(std::span<const float> vector, uint8_t* chunks) {
  return Encode(vector, [&](size_t first, const GroupCodes& group) {
    uint8_t* const to = chunks + first / kChunkCodes * kChunkBytes;
    for (size_t chunk = 0; chunk < kChunkMultiple; ++chunk) {
      std::memcpy(to + chunk * kChunkBytes, group.data() + chunk * kChunkCodes, kChunkCodes);
    }
  });
}

double QueryBound::Error(float row_residual) const {
  const double error = by_residual * static_cast<double>(row_residual) + constant;
  return std::isnan(error) ? kInfinity : error;  // 0 times infinity
}

QueryBound BoundOf(const VectorCode& query, std::span<const int8_t> codes) {
  int64_t squares = 0;
  for (const int8_t code : codes) squares += int64_t{code} * int64_t{code};
  const auto scale = static_cast<double>(query.scale);
  const double of_query = static_cast<double>(query.residual) * kLargestNorm;
  return {.scale = scale,
          .by_residual = scale * std::sqrt(static_cast<double>(squares)) * kUpwards,
          .constant = (of_query + ScoreErrorBound(codes.size())) * kUpwards + 1e-12};
}

}  // namespace facegate
