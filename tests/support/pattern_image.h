#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "face/base/check.h"
#include "tests/support/fake_embedder.h"

namespace facegate {

// A picture of 4 by 4 cells in colours drawn from `seed`: two seeds give nearly orthogonal
// FakeEmbedder embeddings, one seed always the same.
inline cv::Mat PatternImage(uint64_t seed, cv::Size size = {112, 112}) {
  // Small seeds that differ little would begin with like colours.
  cv::RNG random((seed + 1) * 0x9e3779b97f4a7c15);
  cv::Mat image(size, CV_8UC3);
  const int width = size.width / FakeEmbedder::kGrid;
  const int height = size.height / FakeEmbedder::kGrid;
  for (int cell = 0; cell < FakeEmbedder::kGrid * FakeEmbedder::kGrid; ++cell) {
    const cv::Rect place(cell % FakeEmbedder::kGrid * width, cell / FakeEmbedder::kGrid * height,
                         width, height);
    image(place).setTo(
        cv::Scalar(random.uniform(0, 256), random.uniform(0, 256), random.uniform(0, 256)));
  }
  return image;
}

// `share` of one pattern and the rest of another: between them also in cosine.
inline cv::Mat BlendedPattern(uint64_t seed, uint64_t other, double share) {
  cv::Mat blended;
  cv::addWeighted(PatternImage(seed), share, PatternImage(other), 1 - share, 0, blended);
  return blended;
}

// Lossless, so that the pixels arrive as they are.
inline std::string EncodePng(const cv::Mat& image) {
  std::vector<unsigned char> bytes;
  FACEGATE_CHECK(cv::imencode(".png", image, bytes));
  return {bytes.begin(), bytes.end()};
}

// The pattern as an encoded aligned crop, or as a photo for FakeDetector's default face.
inline std::string PatternPng(uint64_t seed) { return EncodePng(PatternImage(seed)); }

}  // namespace facegate
