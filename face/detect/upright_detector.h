#pragma once

#include <memory>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/weights/network_weights.h"

namespace facegate {

// Finds turned faces with a detector that knows upright ones. Where `detector` finds nothing, or
// its largest face is implausible (a second look of the landmark network does not see a face where
// the landmarks say), the picture is searched in the other three quarter turns too, and the turn
// whose largest face is the most plausible is taken: boxes and landmarks are those of the picture
// as it was given, and DetectedFace::quarter_turns says how far the picture must be turned for them
// to be upright. Where no turn has a plausible face, the answer is that of the picture as given.
// The largest face comes with its second look. Where `detector` placed its landmarks by the same
// network (haar with the landmark network), this is another view of the face by the same judge, and
// no second opinion. Has the name of `detector`. Costs a second look (0.6 ms), and three more
// searches where nothing plausible is found.
StatusOr<std::unique_ptr<Detector>> CreateUprightDetector(std::unique_ptr<Detector> detector,
                                                          LandmarkWeights weights);

}  // namespace facegate
