#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "trainer/inspect/set_report.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

// A page with some photos of some identities, spread over the set, and below them the pictures that
// several identities have, side by side: red where a label is wrong for certain, grey where it is
// not known, green for copies within one identity. What cannot be read is left out.
cv::Mat DrawSetSheet(const std::string& title, const SetReport& report, const PhotoSource& source);

}  // namespace facegate
