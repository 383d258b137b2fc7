#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/quality_figures.h"
#include "trainer/measure/verification.h"
#include "trainer/report/run_rows.h"

namespace facegate::report {

// A pair of photos that a model judges badly.
struct HardPair {
  cv::Mat first{};  // grey or BGR, 8 bits a channel; may be empty
  cv::Mat second{};
  double cosine = 0.0;
  bool genuine = false;  // whether it is one person
  std::string first_name{};
  std::string second_name{};
};

// The scores of one set of pairs. The rates and their intervals are computed from them.
struct ScoredSet {
  std::string name{};
  std::vector<double> genuine{};  // cosines, in any order
  std::vector<double> impostor{};
  double threshold = 0.0;                  // a cosine, drawn into the histogram
  std::optional<FoldAccuracy> accuracy{};  // cross-validated
  std::vector<HardPair> hardest{};  // genuine with the lowest, impostor with the highest cosine
  // Further figures, name and value, shown as they are.
  std::vector<std::pair<std::string, std::string>> facts{};
};

// All of it may be empty; what is empty has no place on the page. Texts are plain, never HTML.
struct ReportInput {
  std::string title{};
  std::string summary{};  // a sentence or two
  std::vector<StepRow> steps{};
  std::vector<EvaluationRow> evaluations{};
  std::vector<ValidationRow> validation{};
  std::optional<int64_t> best_batch{};  // after which the run's best model was kept
  std::vector<ScoredSet> sets{};
  std::optional<QualityFigures> quality{};
  std::string configuration{};                                     // shown as it is
  std::vector<std::pair<std::string, std::string>> environment{};  // name and value
  std::vector<std::string> notes{};
};

// One HTML page that needs nothing else: styles, charts (SVG) and pictures are in it. It reads well
// in light and dark, on paper and without scripts, which only add tooltips and switch curves.
StatusOr<std::string> ReportPage(const ReportInput& input);
// ReportPage() in a file, written atomically.
Status WriteReport(const std::string& path, const ReportInput& input);

}  // namespace facegate::report
