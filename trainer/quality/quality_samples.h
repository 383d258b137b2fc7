#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/quality/quality_view.h"

namespace facegate {

// The answer that the quality network should give to a view.
struct QualityTarget {
  uint32_t person = 0;  // index into QualitySamples::people
  ViewFlaw flaw = ViewFlaw::kNone;
  float score = 0.0F;  // the least cosine of the teachers between the view and its clean crop
  // 1 or 0; NaN where it cannot be said.
  float eyes_visible = 0.0F;
  float mouth_visible = 0.0F;
};

struct QualitySamples {
  std::vector<std::string> people;
  std::vector<QualityTarget> targets;
  std::string pixels;  // of all views: kQualityCropSide² each, as CutAlignedFrame() makes them

  // The view of a target; shares its pixels.
  cv::Mat View(size_t i) const;
};

// The samples as bytes of a file; `source` names what they were made from.
std::string SerializeQualitySamples(const QualitySamples& samples, const std::string& source);
// kFailedPrecondition when they were made from another source, kInvalidArgument for other bytes.
StatusOr<QualitySamples> ParseQualitySamples(std::string_view bytes, const std::string& source);

// Says which samples are learned from and which are held out: nobody is in both.
struct QualitySplit {
  std::vector<size_t> learned;
  std::vector<size_t> held_out;
  size_t people = 0;
  size_t held_out_people = 0;
};
// Holds out about `share` (above 0, below 1) of the people; name and seed alone decide.
// kInvalidArgument when nobody or nobody else is left.
StatusOr<QualitySplit> SplitQualitySamples(const QualitySamples& samples, double share,
                                           uint64_t seed);

}  // namespace facegate
