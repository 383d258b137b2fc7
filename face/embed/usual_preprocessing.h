#pragma once

#include "face/image/align.h"
#include "face/image/preprocessing.h"
#include "face/network/description.h"

namespace facegate {

// How a crop becomes the input of a network of which nothing else is said: scaled where the input
// has another size, and in grey where it has one channel.
Preprocessing UsualPreprocessing(const network::Input& input,
                                 ColourOrder colours = ColourOrder::kRgb,
                                 AlignmentTemplate alignment = AlignmentTemplate::kArcFace112);

}  // namespace facegate
