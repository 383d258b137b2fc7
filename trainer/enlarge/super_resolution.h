#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>

#include "face/base/status.h"
#include "trainer/enlarge/super_resolution_file.h"

namespace facegate {

// Makes pictures larger by a network of super-resolution. Thread-safe: pictures pass one after the
// other, each on all threads.
class SuperResolution {
 public:
  // No picture that it gives has more pixels.
  static constexpr int64_t kMostPixels = int64_t{1} << 21;

  // kInvalidArgument for tensors that are not the shape's; `threads` 0: as many as there are cores.
  static StatusOr<std::unique_ptr<SuperResolution>> Create(SuperResolutionFile file, int threads);
  // The same of a file, which messages name.
  static StatusOr<std::unique_ptr<SuperResolution>> Open(const std::string& path, int threads);
  virtual ~SuperResolution() = default;

  // So many times larger does it make each side.
  virtual int scale() const = 0;
  // `picture`: 8-bit BGR. Each number is rounded, and is 0 or 255 where it would lie beyond.
  // kInvalidArgument for a picture that would have more than kMostPixels.
  virtual StatusOr<cv::Mat> Enlarge(const cv::Mat& picture) const = 0;
};

}  // namespace facegate
