#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"

// A calibration holds what is known about the scores of a model on a named set of people: how often
// a threshold errs, and how far that rate lies from the rate on other people.
//
// One photo of each person is taken as enrolled; his photos are compared with the enrolled ones of
// all others. All rates count people: each person, and each pair of people, weighs the same however
// many photos there are. Scores of pairs share people, so that the spread of a rate comes from
// differences between people, and only in the thin tail from the number of pairs. Both parts are
// kept (Hoeffding's decomposition of a U-statistic), and from them follows the interval for any
// other set of people (face/decide/rates.h).
namespace facegate {

// Says how often different people come to `threshold` or above.
struct FalseMatchRow {
  double threshold = 0.0;
  uint64_t pairs = 0;  // pairs of people of whom one comparison at least came so high
  double rate = 0.0;   // the mean over pairs of people of the share of their comparisons
  // The variance, between people, of the rate at which one person is confused with others, and the
  // variance, between pairs, of the share of one pair's comparisons: each divided by the square of
  // `rate`.
  double person_variance = 0.0;
  double pair_variance = 0.0;
};

// Says how often a photo of a stranger comes to `threshold` or above with somebody of a gallery:
// the distribution of the highest impostor score of a probe.
struct GalleryRow {
  double threshold = 0.0;
  double rate = 0.0;  // the mean over all galleries of so many of the set's people
  // The variance of this estimate, and that of the true rate between galleries of so many people:
  // each divided by the square of `rate`.
  double estimate_variance = 0.0;
  double gallery_variance = 0.0;
};

struct GalleryTable {
  uint64_t identities = 0;
  std::vector<GalleryRow> rows;  // thresholds ascend, rates descend; the last rate is 0
};

// Says how often photos of one person stay below `threshold`.
struct FalseNonMatchRow {
  double threshold = 0.0;
  double rate = 0.0;             // the mean over people of the share of their pairs of photos
  double person_variance = 0.0;  // of that share between people; not divided
};

// The counts and tables of one set. A value; see CheckCalibration() for what holds.
struct Calibration {
  static constexpr uint64_t kLeastPeople = 20;

  std::string id;   // sha256 of what follows, 64 hexadecimal digits; CalibrationId()
  std::string set;  // in words
  std::string model_digest;
  std::string preprocessing_digest;
  // Photos whose quality (0..1) is below this were left out; 0: none was.
  double probe_quality = 0.0;
  // Photos that were given, and those that gave no usable face or were left out.
  uint64_t photos = 0;
  uint64_t photos_left_out = 0;
  uint64_t people = 0;                     // with a usable photo
  uint64_t impostor_pairs = 0;             // pairs of people: people * (people - 1) / 2
  uint64_t impostor_comparisons = 0;       // of a photo with an enrolled photo of somebody else
  uint64_t genuine_people = 0;             // with two usable photos or more
  uint64_t genuine_pairs = 0;              // pairs of photos of one person
  std::vector<FalseMatchRow> false_match;  // thresholds ascend, rates descend; the last rate is 0
  std::vector<FalseNonMatchRow> false_non_match;  // thresholds and rates ascend; may be empty
  std::vector<GalleryTable> galleries;            // sizes ascend; may be empty

  // ISO/IEC 19795-1: the share of the photos that could not be used.
  double failure_to_acquire() const {
    return photos == 0 ? 0.0 : static_cast<double>(photos_left_out) / static_cast<double>(photos);
  }
  // The largest gallery of the tables; 0 without one.
  uint64_t largest_gallery() const { return galleries.empty() ? 0 : galleries.back().identities; }
};

// kInvalidArgument, naming the field, when counts do not add up, when a number is out of its range
// or a table not monotonic, or when `id` is not CalibrationId(calibration).
Status CheckCalibration(const Calibration& calibration);

}  // namespace facegate
