#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/decide/calibration.h"
#include "face/decide/operating_point.h"
#include "face/decide/rates.h"
#include "face/weights/model_card.h"
#include "index/gallery.h"
#include "server/operations/decision.h"
#include "server/operations/quality_policy.h"
#include "server/operations/site_calibrations.h"

// Thresholds and what they come to, of the model card's calibration or of a collection's own.
namespace facegate {

struct CalibrationParts {
  const ModelCard& card;
  QualityPolicy quality;
  SiteCalibrations& calibrations;
};

// ChooseBasis() for a decision within `collection`.
StatusOr<DecisionBasis> BasisWithin(const CalibrationParts& parts, const CollectionInfo& collection,
                                    const std::optional<OperatingPoint>& requested,
                                    const DecisionScope& scope, const StopCheck& stop);

// A threshold with what it comes to.
struct CalibrationRow {
  double threshold = 0.0;
  ErrorRate fmr;
  std::optional<ErrorRate> fnmr;
  ErrorRate fpir;  // among the collection's templates
};

struct CalibrationReport {
  std::shared_ptr<const Calibration> calibration;
  uint64_t searched_templates = 0;
  std::vector<CalibrationRow> rows;  // thresholds ascend
  std::optional<CalibrationRow> default_row{};
  std::optional<ErrorRate> model_card_fmr{};  // of the threshold of default_row
  std::vector<std::string> warnings{};        // sentences for the operator
};

// kCalibrationUnsupported where there is none.
StatusOr<CalibrationReport> ReportCalibration(const CalibrationParts& parts,
                                              const CollectionInfo& collection,
                                              CalibrationSource source, const StopCheck& stop);

}  // namespace facegate
