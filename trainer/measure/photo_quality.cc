#include "trainer/measure/photo_quality.h"

#include <cmath>

namespace facegate {

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
