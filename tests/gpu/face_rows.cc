#include "tests/gpu/face_rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

namespace facegate {
namespace {

// The n-th number of a stream (SplitMix64).
uint64_t RandomBits(uint64_t stream, uint64_t n) {
  uint64_t bits = stream + (n + 1) * 0x9e3779b97f4a7c15u;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

// About normal, with a variance of 1: the sum of four that are uniform.
float RandomNormal(uint64_t stream, uint64_t n) {
  const uint64_t bits = RandomBits(stream, n);
  const uint64_t sum =
      (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
  return (static_cast<float>(sum) - 131070.0f) * (1.0f / 37837.0f);
}

}  // namespace

// Each face is at a cosine of 1 / sqrt(1 + spread^2) with the centre.
FaceRows::FaceRows(size_t dimension, double cosine, uint64_t seed)
    : dimension_(dimension),
      spread_(static_cast<float>(std::sqrt(1.0 / cosine - 1.0))),
      seed_(RandomBits(seed, 0)) {}

void FaceRows::Make(size_t row, std::span<float> values) const {
  MakeFace(PersonOf(row), row % 2, values);
}

std::vector<float> FaceRows::Probe(uint64_t person) const {
  std::vector<float> values(dimension_);
  MakeFace(person, 2, values);
  return values;
}

void FaceRows::MakeFace(uint64_t person, uint64_t face, std::span<float> values) const {
  const uint64_t of_centre = RandomBits(seed_, 4 * person);
  const uint64_t of_face = RandomBits(seed_, 4 * person + 1 + face);
  float norm = 0.0f;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = RandomNormal(of_centre, i) + spread_ * RandomNormal(of_face, i);
    norm += values[i] * values[i];
  }
  const float scale = 1.0f / std::sqrt(norm);
  for (float& value : values) value *= scale;
}

void InThreads(size_t count, size_t step,
               const std::function<void(size_t begin, size_t end)>& work) {
  std::atomic<size_t> next{0};
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const size_t begin = next.fetch_add(step);
        if (begin >= count) return;
        work(begin, std::min(count, begin + step));
      }
    });
  }
}

}  // namespace facegate
