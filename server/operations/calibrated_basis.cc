#include "server/operations/calibrated_basis.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace facegate {
namespace {

StatusOr<std::shared_ptr<const Calibration>> OwnCalibration(const CalibrationParts& parts,
                                                            const CollectionInfo& collection,
                                                            const StopCheck& stop) {
  const double wanted = WantedQuality(collection.settings.probe_quality, parts.quality.probe);
  return parts.calibrations.Of(collection, wanted, stop);
}

StatusOr<std::shared_ptr<const Calibration>> ChosenCalibration(const CalibrationParts& parts,
                                                               const CollectionInfo& collection,
                                                               CalibrationSource source,
                                                               const StopCheck& stop) {
  if (source == CalibrationSource::kCollection) return OwnCalibration(parts, collection, stop);
  const std::optional<Calibration>& of_card = parts.card.calibration;
  if (of_card.has_value()) return std::make_shared<const Calibration>(*of_card);
  return Refuse(Reason::kCalibrationUnsupported,
                "the model card has no calibration; facegate-train calibrate writes one");
}

CalibrationRow RowAt(const Calibration& calibration, double threshold, uint64_t templates) {
  CalibrationRow row{.threshold = threshold,
                     .fmr = FalseMatchRateAt(calibration, threshold),
                     .fnmr = {},
                     .fpir = FalsePositiveRateAt(calibration, threshold, templates)};
  if (!calibration.false_non_match.empty()) row.fnmr = FalseNonMatchRateAt(calibration, threshold);
  return row;
}

// The rows go from where half of all strangers match to where none does.
std::vector<CalibrationRow> RowsOf(const Calibration& calibration, uint64_t templates) {
  constexpr double kMostRate = 0.5;
  constexpr int kStepsOfOne = 50;
  std::vector<CalibrationRow> rows;
  for (int step = -kStepsOfOne; step <= kStepsOfOne; ++step) {
    const double threshold = static_cast<double>(step) / kStepsOfOne;
    const CalibrationRow row = RowAt(calibration, threshold, templates);
    if (row.fmr.rate > kMostRate) continue;
    rows.push_back(row);
    if (row.fmr.rate <= 0) break;
  }
  return rows;
}

std::string WarningOfDifference(double threshold, const ErrorRate& here, const ErrorRate& card) {
  return fmt::format(
      "different people come to the default threshold of {:.3f} in {:.2g} of the pairs ({:.2g} to "
      "{:.2g}), the model card says {:.2g} ({:.2g} to {:.2g}): {}",
      threshold, here.rate, here.lower, here.upper, card.rate, card.lower, card.upper,
      here.lower > card.upper
          ? "raise the collection's threshold, or look for people who are enrolled twice"
          : "the threshold is stricter here than it seems");
}

void AddDefault(const CalibrationParts& parts, const CollectionInfo& collection,
                CalibrationReport& report) {
  const std::optional<OperatingPoint> nothing_requested;
  const StatusOr<DecisionBasis> basis =
      ChooseBasis({.requested = nothing_requested,
                   .collection_min_cosine = collection.settings.min_cosine,
                   .card = parts.card});
  if (!basis.ok()) return;  // there is no default
  report.default_row = RowAt(*report.calibration, basis->threshold, report.searched_templates);
  report.model_card_fmr = basis->claimed;
  if (!report.model_card_fmr.has_value()) return;
  const ErrorRate& here = report.default_row->fmr;
  const ErrorRate& card = *report.model_card_fmr;
  if (here.lower > card.upper || here.upper < card.lower) {
    report.warnings.push_back(WarningOfDifference(basis->threshold, here, card));
  }
}

// The tables are of single photos.
void AddPolicies(const CollectionSettings& settings, CalibrationReport& report) {
  if (settings.fusion == Fusion::kMeanTemplate) {
    report.warnings.emplace_back(
        "these are rates of single photos; the collection compares a face with the mean of an "
        "identity's templates, of which they are estimates");
  }
  if (settings.fusion == Fusion::kMeanOfTwoBest) {
    report.warnings.emplace_back(
        "these are rates of single photos; the collection takes the mean of an identity's two "
        "highest cosines, and different people match more seldom than is said here");
  }
  if (settings.cohort) {
    report.warnings.emplace_back(
        "these are rates of cosines; the collection normalises them by a cohort, and different "
        "people match more seldom than is said here");
  }
}

}  // namespace

StatusOr<DecisionBasis> BasisWithin(const CalibrationParts& parts, const CollectionInfo& collection,
                                    const std::optional<OperatingPoint>& requested,
                                    const DecisionScope& scope, const StopCheck& stop) {
  std::shared_ptr<const Calibration> own;
  if (requested.has_value() && requested->calibration == CalibrationSource::kCollection) {
    auto calibration = OwnCalibration(parts, collection, stop);
    if (ReasonOf(calibration.status()) == Reason::kCalibrationUnsupported) {
      return AtField(calibration.status(), "operating_point.calibration");
    }
    FACEGATE_RETURN_IF_ERROR(calibration.status());
    own = std::move(calibration).value();
  }
  return ChooseBasis({.requested = requested,
                      .collection_min_cosine = collection.settings.min_cosine,
                      .card = parts.card,
                      .of_collection = own.get(),
                      .scope = scope});
}

StatusOr<CalibrationReport> ReportCalibration(const CalibrationParts& parts,
                                              const CollectionInfo& collection,
                                              CalibrationSource source, const StopCheck& stop) {
  CalibrationReport report;
  FACEGATE_ASSIGN_OR_RETURN(report.calibration, ChosenCalibration(parts, collection, source, stop));
  report.searched_templates = std::max<uint64_t>(collection.template_count, 1);
  report.rows = RowsOf(*report.calibration, report.searched_templates);
  AddDefault(parts, collection, report);
  AddPolicies(collection.settings, report);
  // The guard let in only who is like the others of the identity.
  if (source == CalibrationSource::kCollection &&
      collection.settings.identity_match_fmr.has_value()) {
    for (CalibrationRow& row : report.rows) row.fnmr.reset();
    if (report.default_row.has_value()) report.default_row->fnmr.reset();
  }
  return report;
}

}  // namespace facegate
