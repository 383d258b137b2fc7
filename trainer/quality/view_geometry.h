#pragma once

#include <opencv2/core/mat.hpp>

#include "face/base/random.h"

// These do what goes wrong with the place of a face in its crop. Crops are of ArcFace's template,
// 8-bit BGR, and are changed in place; all follows from `random` alone.
namespace facegate {

// Turns by 90, 180 or 270 degrees.
void TurnByQuarters(RandomStream& random, cv::Mat& crop);
// Turned, scaled and moved so much that no landmark is where it should be.
void Misalign(RandomStream& random, cv::Mat& crop);
// Moves the face as if five landmarks were off by `deviation` each, in distances of the eyes.
void Jitter(double deviation, RandomStream& random, cv::Mat& crop);
// Black from one side on, as where the photo ends.
void CutByBorder(RandomStream& random, cv::Mat& crop);
// A small part of the crop, or its pieces in disorder, or waves.
void LoseFace(RandomStream& random, cv::Mat& crop);

}  // namespace facegate
