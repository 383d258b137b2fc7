#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/measure/discard_curve.h"
#include "trainer/measure/group_figures.h"
#include "trainer/measure/photo_quality.h"
#include "trainer/measure/stranger_table.h"

namespace facegate {

// The figures of an evaluation beside those of all photos; empty is what was not asked for.
struct QualityFigures {
  bool measured = false;  // photos have qualities
  AcquisitionRates acquisition{};
  std::vector<ErrorDiscardCurve> discards{};
  double stranger_far = 0.0;  // the threshold of the strangers is that of this rate
  double stranger_threshold = 0.0;
  std::vector<StrangerRow> strangers{};
  std::vector<double> group_fars{};  // of the thresholds of groups
  std::vector<double> group_thresholds{};
  std::vector<GroupFigures> groups{};
};

}  // namespace facegate
