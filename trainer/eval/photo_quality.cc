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

AcquisitionRates CountAcquisitions(std::span<const double> qualities, const QualityLimits& limits) {
  AcquisitionRates rates{.limits = limits};
  for (const double quality : qualities) {
    rates.enrol.Add(AcquisitionOf(quality, limits.enrol));
    rates.probe.Add(AcquisitionOf(quality, limits.probe));
  }
  return rates;
}

}  // namespace facegate
