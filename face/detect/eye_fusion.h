#pragma once

#include <array>
#include <opencv2/core/types.hpp>
#include <vector>

namespace facegate {

// One finder's word on where an eye is, in shares of the face box's width from its top left corner.
struct EyeSighting {
  int side = 0;          // 0: the eye at the left of the picture, 1: the one at its right
  cv::Point2d position;  // the finder's bias taken off
  cv::Point2d variance;  // of its error, for x and y
};

// Tells how the eyes lie in the box of haarcascade_frontalface_alt2: means and variances of the
// middle between the eyes and of the way from the left eye to the right one, each taken as
// independent and normal.
struct EyePrior {
  cv::Point2d middle_mean, middle_variance;
  cv::Point2d span_mean, span_variance;
};

// The most likely position of both eyes, given the prior and any number of sightings. The prior
// ties the eyes together: where one eye is found, it moves the other along; where none is, they lie
// as in the average face.
std::array<cv::Point2d, 2> FuseEyes(const EyePrior& prior,
                                    const std::vector<EyeSighting>& sightings);

}  // namespace facegate
