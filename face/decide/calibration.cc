#include "face/decide/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "face/decide/calibration_json.h"

namespace facegate {
namespace {

constexpr uint64_t kMostPeople = 100'000'000;
constexpr uint64_t kMostPhotos = 1'000'000'000'000;
constexpr size_t kMaxTextBytes = 4 << 10;
constexpr double kMostVariance = 1e9;  // of a rate, divided by its square

Status Refused(std::string_view field, std::string_view what) {
  return InvalidArgument(fmt::format("calibration field \"{}\" {}", field, what));
}

bool IsDigest(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// False for NaN, too.
bool IsWithin(double value, double low, double high) { return value >= low && value <= high; }

Status CheckTexts(const Calibration& calibration) {
  if (calibration.set.empty() || calibration.set.size() > kMaxTextBytes) {
    return Refused("set", fmt::format("has {} bytes, expected 1 to {}", calibration.set.size(),
                                      kMaxTextBytes));
  }
  if (!IsDigest(calibration.model_digest)) return Refused("model_digest", "is not a sha256");
  if (!IsDigest(calibration.preprocessing_digest)) {
    return Refused("preprocessing_digest", "is not a sha256");
  }
  return OkStatus();
}

Status CheckCounts(const Calibration& one) {
  if (one.people < Calibration::kLeastPeople || one.people > kMostPeople) {
    return Refused("people", fmt::format("is {}, expected {} to {}", one.people,
                                         Calibration::kLeastPeople, kMostPeople));
  }
  if (one.photos > kMostPhotos || one.photos_left_out > one.photos) {
    return Refused("photos_left_out",
                   fmt::format("is {} of {} photos", one.photos_left_out, one.photos));
  }
  const uint64_t used = one.photos - one.photos_left_out;
  if (used < one.people + one.genuine_people) {
    return Refused("photos", fmt::format("leaves {} used ones for {} people, {} of them with two",
                                         used, one.people, one.genuine_people));
  }
  const uint64_t pairs = one.people * (one.people - 1) / 2;
  if (one.impostor_pairs != pairs) {
    return Refused("impostor_pairs",
                   fmt::format("is {}, {} people make {}", one.impostor_pairs, one.people, pairs));
  }
  if (one.impostor_comparisons < pairs) {
    return Refused("impostor_comparisons",
                   fmt::format("is {}, less than the {} pairs", one.impostor_comparisons, pairs));
  }
  if (one.genuine_people > one.people || one.genuine_pairs < one.genuine_people ||
      (one.genuine_people == 0) != (one.genuine_pairs == 0)) {
    return Refused("genuine_pairs",
                   fmt::format("is {} of {} people", one.genuine_pairs, one.genuine_people));
  }
  if (!IsWithin(one.probe_quality, 0.0, 1.0)) return Refused("probe_quality", "is not in 0..1");
  return OkStatus();
}

// Thresholds ascend within -1..2 (the last may lie above every cosine), rates are within 0..1.
template <typename Row>
Status CheckThresholds(std::string_view field, const std::vector<Row>& rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!IsWithin(rows[i].threshold, -1.0, 2.0) || !IsWithin(rows[i].rate, 0.0, 1.0)) {
      return Refused(field, fmt::format("has a threshold or rate out of range in row {}", i));
    }
    if (i > 0 && !(rows[i].threshold > rows[i - 1].threshold)) {
      return Refused(field, fmt::format("has thresholds that do not ascend in row {}", i));
    }
  }
  return OkStatus();
}

template <typename Row>
Status CheckDescending(std::string_view field, const std::vector<Row>& rows) {
  FACEGATE_RETURN_IF_ERROR(CheckThresholds(field, rows));
  if (rows.size() < 2) return Refused(field, "has fewer than two rows");
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].rate > rows[i - 1].rate) {
      return Refused(field, fmt::format("has rates that do not descend in row {}", i));
    }
    if (rows[i - 1].rate == 0.0) {
      return Refused(field, fmt::format("goes on after the rate 0 in row {}", i));
    }
  }
  if (rows.back().rate != 0.0) return Refused(field, "does not end with the rate 0");
  return OkStatus();
}

Status CheckFalseMatch(const Calibration& calibration) {
  const std::vector<FalseMatchRow>& rows = calibration.false_match;
  FACEGATE_RETURN_IF_ERROR(CheckDescending("false_match", rows));
  for (size_t i = 0; i < rows.size(); ++i) {
    const FalseMatchRow& row = rows[i];
    if (!IsWithin(row.person_variance, 0.0, kMostVariance) ||
        !IsWithin(row.pair_variance, 0.0, kMostVariance)) {
      return Refused("false_match", fmt::format("has a variance out of range in row {}", i));
    }
    if (row.pairs > calibration.impostor_pairs || (row.pairs == 0) != (row.rate == 0.0) ||
        (i > 0 && row.pairs > rows[i - 1].pairs)) {
      return Refused("false_match", fmt::format("has {} pairs in row {}", row.pairs, i));
    }
    // A pair counts in the rate with the share of its comparisons, so with 1 at most.
    const double most =
        static_cast<double>(row.pairs) / static_cast<double>(calibration.impostor_pairs);
    if (row.rate > most * (1.0 + 1e-4)) {
      return Refused("false_match", fmt::format("has the rate {:g} of {} pairs in row {}", row.rate,
                                                row.pairs, i));
    }
  }
  return OkStatus();
}

Status CheckFalseNonMatch(const Calibration& calibration) {
  const std::vector<FalseNonMatchRow>& rows = calibration.false_non_match;
  FACEGATE_RETURN_IF_ERROR(CheckThresholds("false_non_match", rows));
  if (rows.empty() != (calibration.genuine_people == 0)) {
    return Refused("false_non_match", fmt::format("has {} rows of {} people", rows.size(),
                                                  calibration.genuine_people));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!IsWithin(rows[i].person_variance, 0.0, 1.0)) {
      return Refused("false_non_match", fmt::format("has a variance out of range in row {}", i));
    }
    if (i > 0 && rows[i].rate < rows[i - 1].rate) {
      return Refused("false_non_match", fmt::format("has rates that do not ascend in row {}", i));
    }
  }
  return OkStatus();
}

Status CheckGalleries(const Calibration& calibration) {
  uint64_t last = 1;
  for (const GalleryTable& table : calibration.galleries) {
    const std::string field = fmt::format("galleries of {}", table.identities);
    if (table.identities <= last || table.identities >= calibration.people) {
      return Refused(field,
                     fmt::format("do not ascend, or are not of {} people", calibration.people));
    }
    last = table.identities;
    FACEGATE_RETURN_IF_ERROR(CheckDescending(field, table.rows));
    for (const GalleryRow& row : table.rows) {
      if (!IsWithin(row.estimate_variance, 0.0, kMostVariance) ||
          !IsWithin(row.gallery_variance, 0.0, kMostVariance)) {
        return Refused(field, "have a variance out of range");
      }
    }
  }
  return OkStatus();
}

}  // namespace

Status CheckCalibration(const Calibration& calibration) {
  FACEGATE_RETURN_IF_ERROR(CheckTexts(calibration));
  FACEGATE_RETURN_IF_ERROR(CheckCounts(calibration));
  FACEGATE_RETURN_IF_ERROR(CheckFalseMatch(calibration));
  FACEGATE_RETURN_IF_ERROR(CheckFalseNonMatch(calibration));
  FACEGATE_RETURN_IF_ERROR(CheckGalleries(calibration));
  if (calibration.id != CalibrationId(calibration)) {
    return Refused("id", "is not the sha256 of the other fields");
  }
  return OkStatus();
}

}  // namespace facegate
