#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

#include "face/base/status.h"

namespace facegate::synthetic {

// Counts changes of what the same call draws.
constexpr int kVersion = 1;

struct PictureOptions {
  int width = 320;  // pixels, 64..4096; the height too
  int height = 320;
  // 0: frontal, evenly lit, clean. 1: turned, harshly lit, smiling, blurred, noisy.
  double difficulty = 1.0;
};

struct RenderedFace {
  cv::Mat picture;  // 8-bit BGR
  // The order is that of Landmarks: eye at the left, eye at the right, nose tip, mouth corners.
  std::array<cv::Point2f, 5> landmarks;
};

// The name of a picture: the three numbers alone decide, not the order of calls, nor the thread.
struct FaceName {
  uint64_t seed = 0;
  uint64_t identity = 0;
  uint64_t view = 0;
};

// Draws the face of a person who does not exist, somewhere in a picture, from a small model of
// heads, hair, light and cameras. The person follows from seed and identity; pose, expression,
// light, clothes, background and flaws of the camera from the view as well. The same call gives the
// same bytes on the same build and machine; elsewhere sin, pow and JPEG may round differently.
// kInvalidArgument for a size out of range. Thread-safe, as are the others.
StatusOr<RenderedFace> RenderFace(const FaceName& name, const PictureOptions& options = {});

// The same person in the same view as a crop of 112×112, aligned by AlignFace to the ArcFace
// template with landmarks that are about as uncertain as a detector's; the landmarks of the result
// are the true ones. Width and height of the options are not used.
StatusOr<RenderedFace> RenderFaceCrop(const FaceName& name, const PictureOptions& options = {});

// The landmarks alone, at a fraction of the time.
StatusOr<std::array<cv::Point2f, 5>> FaceLandmarks(const FaceName& name,
                                                   const PictureOptions& options = {});
StatusOr<std::array<cv::Point2f, 5>> FaceCropLandmarks(const FaceName& name,
                                                       const PictureOptions& options = {});

}  // namespace facegate::synthetic
