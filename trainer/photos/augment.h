#pragma once

#include <opencv2/core/mat.hpp>

#include "face/base/random.h"
#include "face/base/status.h"

namespace facegate {

// Says how a training picture is changed. Each change has the probability with which it happens; 0
// turns it off. Changes come in the order of the fields.
struct AugmentOptions {
  double flip = 0.5;  // left and right

  // A part of the picture, enlarged again: shift and zoom of at most these shares of the side, and
  // a turn of at most so many degrees either way.
  double crop = 0.0;
  double crop_shift = 0.05;
  double crop_zoom = 0.08;
  double crop_turn = 0.0;

  // AdaFace's crop: what lies outside a random part (20 % to 100 % of the area) turns black.
  double zero_crop = 0.0;

  // Made small (a share of the side between low_resolution_least and 1) by one interpolation and
  // large again by another.
  double low_resolution = 0.0;
  double low_resolution_least = 0.2;
  // Instead, always made this many times smaller, and large again, by bicubic interpolation; 0: at
  // random.
  double low_resolution_factor = 0.0;

  // Brightness, contrast and saturation, each times 1 ± its share.
  double photometric = 0.0;
  double brightness = 0.5;
  double contrast = 0.5;
  double saturation = 0.5;
  double hue = 0.0;  // a turn of the colours by up to this share of the circle, either way

  double grey = 0.0;  // without colours

  // A random rectangle (2 % to erase_most of the area) of noise (Zhong et al., 2020).
  double erase = 0.0;
  double erase_most = 0.2;

  // A Gaussian blur of a deviation between 0.1 and blur_most, in pixels.
  double blur = 0.0;
  double blur_most = 2.0;
};

// AdaFace's three augmentations at their published probability of 0.2 each, and flips.
AugmentOptions AdaFaceAugmentation();

// kInvalidArgument for a probability outside 0..1 or a share out of its range.
Status CheckAugmentation(const AugmentOptions& options);

// Changes `picture` (8-bit BGR) in place of its size; what happens follows from `random` alone.
// Thread-safe for different pictures.
void Augment(const AugmentOptions& options, RandomStream& random, cv::Mat& picture);

}  // namespace facegate
