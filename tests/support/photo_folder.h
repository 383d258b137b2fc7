#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "face/base/check.h"
#include "tests/support/pattern_image.h"

namespace facegate {

// Writes a file and the folders above it.
inline void WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  FACEGATE_CHECK(std::filesystem::file_size(path) == bytes.size());
}

// Noise that is smooth enough for a picture's hash, another one for each seed.
inline cv::Mat SmoothNoise(uint64_t seed, cv::Size size = {112, 112}) {
  cv::RNG random((seed + 1) * 0x9e3779b97f4a7c15);
  cv::Mat small(17, 17, CV_8UC3);
  random.fill(small, cv::RNG::UNIFORM, 0, 256);
  cv::Mat picture(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      picture.at<cv::Vec3b>(y, x) =
          small.at<cv::Vec3b>(y * small.rows / size.height, x * small.cols / size.width);
    }
  }
  return picture;
}

}  // namespace facegate
