#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace facegate {

// Unit vectors like those of faces, any number of them: row n is of person n / 2, whose faces lie
// around a centre that points anywhere, at a cosine of `cosine` with each other. Each is made from
// its number alone. Thread-safe.
class FaceRows {
 public:
  FaceRows(size_t dimension, double cosine, uint64_t seed);

  size_t dimension() const { return dimension_; }
  static uint64_t PersonOf(size_t row) { return row / 2 + 1; }

  void Make(size_t row, std::span<float> values) const;
  // Another face of a person than those of the rows.
  std::vector<float> Probe(uint64_t person) const;

 private:
  void MakeFace(uint64_t person, uint64_t face, std::span<float> values) const;

  const size_t dimension_;
  const float spread_;
  const uint64_t seed_;
};

// Calls `work` with ranges that make up `count`, of at most `step` each, in a thread for each core.
void InThreads(size_t count, size_t step,
               const std::function<void(size_t begin, size_t end)>& work);

}  // namespace facegate
