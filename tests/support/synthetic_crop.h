#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>
#include <vector>

namespace facegate {

// A 112×112 picture of smooth coloured blobs, another one for each seed: what a test sends where
// only some distinct crop is needed. Nobody's face.
inline cv::Mat SyntheticCrop(uint32_t seed) {
  std::mt19937 random(seed);
  cv::Mat coarse(7, 7, CV_8UC3);
  for (int y = 0; y < coarse.rows; ++y) {
    for (int x = 0; x < coarse.cols; ++x) {
      for (int c = 0; c < 3; ++c) {
        coarse.at<cv::Vec3b>(y, x)[c] = static_cast<uint8_t>(random() % 256U);
      }
    }
  }
  cv::Mat crop;
  cv::resize(coarse, crop, {112, 112}, 0, 0, cv::INTER_CUBIC);
  return crop;
}

// Encoded in the format of `extension`, such as ".png"; JPEG with `quality`.
inline std::string Encode(const cv::Mat& picture, const std::string& extension, int quality = 95) {
  std::vector<uint8_t> bytes;
  const std::vector<int> parameters = extension == ".jpg"
                                          ? std::vector<int>{cv::IMWRITE_JPEG_QUALITY, quality}
                                          : std::vector<int>{};
  cv::imencode(extension, picture, bytes, parameters);
  return {bytes.begin(), bytes.end()};
}

}  // namespace facegate
