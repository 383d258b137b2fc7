#include "trainer/inspect/far_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace facegate {
namespace {

Status CheckCosines(const CenterCosines& cosines) {
  if (cosines.centers == 0 || cosines.cosines.size() != cosines.size() * cosines.centers) {
    return InvalidArgument(fmt::format("{} cosines are not {} to each of {} photos",
                                       cosines.cosines.size(), cosines.centers, cosines.size()));
  }
  if (cosines.trained > cosines.size()) {
    return InvalidArgument(
        fmt::format("{} photos of {} were trained on", cosines.trained, cosines.size()));
  }
  for (size_t i = 0; i < cosines.size(); ++i) {
    if (cosines.labels[i] >= cosines.classes) {
      return InvalidArgument(fmt::format("photo {} has the label {}, there are {} classes", i,
                                         cosines.labels[i], cosines.classes));
    }
    const std::span<const float> row = cosines.row(i);
    if (!std::all_of(row.begin(), row.end(), [](float one) { return std::isfinite(one); })) {
      return InvalidArgument(fmt::format("photo {} has a cosine that is no number", i));
    }
  }
  return OkStatus();
}

double DegreesOf(float cosine) {
  return std::acos(std::clamp(static_cast<double>(cosine), -1.0, 1.0)) * 180.0 / std::numbers::pi;
}

// Counts the photos trained on that are nearest to each centre, and finds the dominant ones.
void FindDominant(const CenterCosines& cosines, std::vector<FarPhotos::Class>& classes) {
  std::vector<double> sums(cosines.classes * cosines.centers, 0.0);
  for (size_t i = 0; i < cosines.trained; ++i) {
    const std::span<const float> row = cosines.row(i);
    const auto nearest = std::max_element(row.begin(), row.end());
    const auto place = static_cast<size_t>(nearest - row.begin());
    FarPhotos::Class& own = classes[cosines.labels[i]];
    own.photos += 1;
    own.nearest[place] += 1;
    sums[cosines.labels[i] * cosines.centers + place] += *nearest;
  }
  for (size_t c = 0; c < classes.size(); ++c) {
    for (size_t k = 1; k < cosines.centers; ++k) {
      FarPhotos::Class& own = classes[c];
      const auto weight = [&](size_t centre) {
        return std::pair(own.nearest[centre], sums[c * cosines.centers + centre]);
      };
      if (weight(k) > weight(own.dominant)) own.dominant = k;
    }
  }
}

}  // namespace

StatusOr<FarPhotos> FindFarPhotos(const CenterCosines& cosines, double most_degrees) {
  FACEGATE_RETURN_IF_ERROR(CheckCosines(cosines));
  FarPhotos far;
  far.classes.resize(cosines.classes);
  for (FarPhotos::Class& one : far.classes) one.nearest.assign(cosines.centers, 0);
  FindDominant(cosines, far.classes);
  for (size_t i = 0; i < cosines.size(); ++i) {
    FarPhotos::Class& own = far.classes[cosines.labels[i]];
    const double degrees = DegreesOf(cosines.row(i)[own.dominant]);
    const bool is_far = degrees > most_degrees;
    far.degrees.push_back(degrees);
    if (is_far) far.photos.push_back(i);
    if (i >= cosines.trained) continue;
    const auto bin = static_cast<size_t>(degrees / FarPhotos::kBinDegrees);
    far.histogram[std::min(bin, FarPhotos::kBins - 1)] += 1;
    own.far += is_far ? 1 : 0;
  }
  return far;
}

}  // namespace facegate
