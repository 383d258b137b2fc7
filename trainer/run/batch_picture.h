#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>

#include "face/image/preprocessing.h"
#include "trainer/photos/loader.h"

namespace facegate {

// The first `most` inputs of a batch as the network sees them, in rows of `columns`, 8-bit BGR:
// what shows at a glance whether crops, colours and augmentations are as they should be.
cv::Mat BatchPicture(const Batch& batch, const Preprocessing& preprocessing, size_t most,
                     size_t columns);

}  // namespace facegate
