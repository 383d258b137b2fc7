#pragma once

#include <opencv2/core/mat.hpp>

#include "trainer/measure/verification.h"

namespace facegate::report {

// The ROC curve of the scores as a picture for TensorBoard: the true accept rate, 0 to 1, over the
// false accept rate, from the smallest that the impostor pairs show to 1 on a logarithmic scale.
// 8-bit BGR, 480 x 360.
cv::Mat RocPicture(const ScoreDistribution& scores);

}  // namespace facegate::report
