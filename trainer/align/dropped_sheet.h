#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>

#include "trainer/align/photo_cutter.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

struct DroppedPhoto {
  const PhotoSource* source = nullptr;
  size_t photo = 0;  // number in it
  CutStatus status = CutStatus::kNoFace;
  size_t line = 0;  // of the manifest, from 1 on
};

// A page with some of the photos that were dropped, spread over all of a kind, each with its line
// in the manifest. Empty where none of them can be drawn.
cv::Mat DrawDroppedSheet(const std::string& title, std::span<const DroppedPhoto> photos);

}  // namespace facegate
