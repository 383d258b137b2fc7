#include "face/image/opencv_threads.h"

#include <algorithm>
#include <opencv2/core/utility.hpp>

namespace facegate {

void SetOpenCvThreads(int threads) { cv::setNumThreads(std::max(threads, 1)); }

}  // namespace facegate
