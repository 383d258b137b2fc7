#include "trainer/eval/photo_quality.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "trainer/eval/named_values.h"

namespace facegate {

StatusOr<PhotoQualities> ReadQualities(const std::string& path, const EmbeddingSet& set) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<NamedValue> rows, ReadNamedValues(path));
  std::unordered_map<std::string, double> known;
  for (const NamedValue& row : rows) {
    const std::optional<double> quality = row.number();
    if (quality && *quality >= 0.0 && *quality <= 1.0) {
      known.insert_or_assign(row.name, *quality);
    } else if (&row != &rows.front() || quality) {
      return InvalidArgument(
          fmt::format("{}, line {}: expected a photo and its quality, 0 to 1", path, row.line));
    }
  }
  PhotoQualities qualities(set.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < set.size(); ++i) {
    if (!set.has_face(i)) continue;
    const auto found = known.find(set.names()[i]);
    if (found == known.end()) {
      return NotFound(fmt::format("{} has no quality of {}", path, set.names()[i]));
    }
    qualities[i] = found->second;
  }
  return qualities;
}

Acquisition AcquisitionOf(double quality, double least) {
  if (std::isnan(quality)) return Acquisition::kNoFace;
  return quality < least ? Acquisition::kBelowQuality : Acquisition::kUsable;
}

AcquisitionRates CountAcquisitions(const PhotoQualities& qualities,
                                   std::span<const size_t> person_of_photo,
                                   std::span<const size_t> photos, const QualityLimits& limits,
                                   const PersonResampling& resampling) {
  const auto figures_at = [&](double least) {
    AcquisitionFigures figures;
    std::vector<PersonTrial> trials;
    trials.reserve(photos.size());
    for (const size_t photo : photos) {
      const Acquisition acquisition = AcquisitionOf(qualities[photo], least);
      figures.counts.Add(acquisition);
      trials.push_back({.first = person_of_photo[photo],
                        .second = person_of_photo[photo],
                        .error = acquisition != Acquisition::kUsable});
    }
    figures.failures = resampling.ErrorShare(trials);
    return figures;
  };
  return {.limits = limits, .enrol = figures_at(limits.enrol), .probe = figures_at(limits.probe)};
}

}  // namespace facegate
