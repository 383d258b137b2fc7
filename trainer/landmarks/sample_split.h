#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/landmarks/sample.h"

namespace facegate {

// Says which samples are learned from and which are held out: nobody is in both. Indices into
// LandmarkSamples::faces and ::negatives.
struct SampleSplit {
  std::vector<size_t> faces;
  std::vector<size_t> negatives;
  std::vector<size_t> held_out_faces;
  std::vector<size_t> held_out_negatives;
  size_t people = 0;
  size_t held_out_people = 0;
};

// True when the person of a photo is held out; the name and the seed alone decide.
bool IsHeldOut(std::string_view photo, double share, uint64_t seed);

// Holds out about `share` (0 to below 1) of the people, by IsHeldOut().
// kInvalidArgument when nobody or nobody else is left.
StatusOr<SampleSplit> SplitByPerson(const LandmarkSamples& samples, double share, uint64_t seed);

// Measures how the frame of a face lies to the cascade's box in the samples of `faces` (see
// face/detect/landmark_net.h): medians. kInvalidArgument when none has a box.
StatusOr<std::array<float, 3>> MeasureBoxToFrame(const LandmarkSamples& samples,
                                                 const std::vector<size_t>& faces);

}  // namespace facegate
