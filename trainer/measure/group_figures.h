#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/judged_pairs.h"
#include "trainer/measure/pair_rates.h"
#include "trainer/measure/person_resampling.h"
#include "trainer/measure/photo_quality.h"

// These figures tell how groups of people fare at one common threshold (ISO/IEC 19795-10).
namespace facegate {

// The group of each photo of a set.
struct PhotoGroups {
  static constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<std::string> names;  // of groups, in the order of the file
  std::vector<size_t> group;       // of each photo, kNone without a label
  size_t unlabelled = 0;           // photos
  size_t unknown = 0;              // rows of the file that name neither a photo nor a person
};

struct GroupFigures {
  std::string name;
  size_t photos = 0;
  size_t people = 0;
  AcquisitionRates acquisition{};
  std::vector<PairRates> rates{};  // for each threshold; impostors are two people of the group
};

// Figures of all groups, and last of "all": pairs of all photos with a label, also across groups.
// Without measured qualities, photos without a face alone are failures to acquire. A pair with one
// matches nobody.
std::vector<GroupFigures> MakeGroupFigures(std::span<const JudgedPair> pairs,
                                           const PeopleOfPhotos& people, const PhotoGroups& groups,
                                           const PhotoQualities& qualities,
                                           const QualityLimits& limits,
                                           std::span<const double> thresholds,
                                           const PersonResampling& resampling);

}  // namespace facegate
