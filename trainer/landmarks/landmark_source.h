#pragma once

#include "face/base/status.h"
#include "trainer/landmarks/landmark_run.h"
#include "trainer/landmarks/preparation.h"
#include "trainer/landmarks/sample.h"
#include "trainer/run/network_run.h"
#include "trainer/run/session.h"

// Where the samples of a landmark run come from.
namespace facegate {

// The landmarks of the options' list by the names of the photos' files, which may end otherwise
// than in the list. Photos that are not there are kInvalidArgument, or left out where the options
// say so; looked for before hours of work.
StatusOr<OrderedLandmarks> FindLandmarks(const LandmarkRunOptions& options, Session& session);

// The samples of these photos: those that the work folder keeps, where they come from the same
// list, photos and seed, else cut now and kept there.
StatusOr<LandmarkSamples> LandmarkSamplesFor(const LandmarkRunOptions& options,
                                             const WorkFolder& work,
                                             const OrderedLandmarks& landmarks, Session& session);

}  // namespace facegate
