#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/decide/calibration.h"

namespace facegate {

// The comparisons that a collection is calibrated with at most.
inline constexpr uint64_t kMostSampledComparisons = 10'000'000;

// Says of a calibration what does not follow from scores.
struct CalibrationFacts {
  std::string set{};
  std::string model_digest{};
  std::string preprocessing_digest{};
  double probe_quality = 0.0;
  uint64_t photos = 0;
  uint64_t photos_left_out = 0;
};

// Makes the tables of a set of people from the scores of their photos. Holds two bytes for each
// comparison, and while it finishes about as much again; knows no person, only numbers. Not
// thread-safe.
class CalibrationBuilder {
 public:
  static constexpr uint64_t kMostComparisons = 200'000'000;

  // Makes a builder for `people` who are enrolled, and `probes` photos. kInvalidArgument for fewer
  // than Calibration::kLeastPeople, fewer probes than people, or more than kMostComparisons.
  static StatusOr<CalibrationBuilder> Create(size_t people, size_t probes);

  CalibrationBuilder(CalibrationBuilder&&) noexcept;
  CalibrationBuilder& operator=(CalibrationBuilder&&) noexcept;
  ~CalibrationBuilder();

  // A photo of `person` (below `people`): its score with each person as he is enrolled. The one at
  // `person` itself is not used. kInvalidArgument when the sizes do not fit, a score is not a
  // cosine, or there are more photos than were announced.
  Status AddProbe(size_t person, std::span<const float> scores);
  // The score of two photos of one person.
  Status AddGenuine(size_t person, float score);

  // kFailedPrecondition when somebody has no photo; what `stop` says when it says so. Of ten
  // million comparisons it takes seconds.
  StatusOr<Calibration> Finish(const CalibrationFacts& facts, const StopCheck& stop = {}) const;

 private:
  struct State;
  explicit CalibrationBuilder(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// `wanted` of `people`, each equally likely, ascending; all where there are no more. The same seed
// gives the same people.
std::vector<size_t> SamplePeople(size_t people, size_t wanted, uint64_t seed);

}  // namespace facegate
