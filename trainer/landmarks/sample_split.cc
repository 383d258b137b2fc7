#include "trainer/landmarks/sample_split.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "face/base/random.h"
#include "face/detect/face_frame.h"
#include "trainer/measure/photo_person.h"

namespace facegate {
namespace {

constexpr uint64_t kStream = 72;

// FNV-1a, 64 bits (Fowler, Noll and Vo).
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

float MedianOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<float>(*middle);
}

}  // namespace

bool IsHeldOut(std::string_view photo, double share, uint64_t seed) {
  return RandomStream(seed, kStream, HashOf(PersonOf(photo))).Uniform() < share;
}

StatusOr<SampleSplit> SplitByPerson(const LandmarkSamples& samples, double share, uint64_t seed) {
  std::vector<bool> held_out;
  held_out.reserve(samples.photos.size());
  std::set<std::string_view> people;
  SampleSplit split;
  for (const std::string& photo : samples.photos) {
    held_out.push_back(IsHeldOut(photo, share, seed));
    if (people.insert(PersonOf(photo)).second) {
      ++(held_out.back() ? split.held_out_people : split.people);
    }
  }
  for (size_t i = 0; i < samples.faces.size(); ++i) {
    (held_out[samples.faces[i].photo] ? split.held_out_faces : split.faces).push_back(i);
  }
  for (size_t i = 0; i < samples.negatives.size(); ++i) {
    (held_out[samples.negatives[i].photo] ? split.held_out_negatives : split.negatives)
        .push_back(i);
  }
  if (split.faces.empty() || split.negatives.empty()) {
    return InvalidArgument("too few photos: nothing is left to learn from");
  }
  if (share > 0 && split.held_out_faces.empty()) {
    return InvalidArgument("there are too few people to hold any out for measuring the error");
  }
  return split;
}

StatusOr<std::array<float, 3>> MeasureBoxToFrame(const LandmarkSamples& samples,
                                                 const std::vector<size_t>& faces) {
  std::vector<double> across;
  std::vector<double> down;
  std::vector<double> sides;
  for (const size_t i : faces) {
    const LandmarkSample& face = samples.faces[i];
    if (!face.box) continue;
    FACEGATE_ASSIGN_OR_RETURN(const FaceFrame frame, FrameOfLandmarks(face.points));
    const cv::Point2d centre = (face.box->tl() + face.box->br()) * 0.5 - cv::Point2d(0.5, 0.5);
    across.push_back((frame.centre.x - centre.x) / face.box->width);
    down.push_back((frame.centre.y - centre.y) / face.box->width);
    sides.push_back(frame.side / face.box->width);
  }
  if (sides.empty()) {
    return InvalidArgument("the cascade found the face of none of the photos");
  }
  return std::array<float, 3>{MedianOf(std::move(across)), MedianOf(std::move(down)),
                              MedianOf(std::move(sides))};
}

}  // namespace facegate
