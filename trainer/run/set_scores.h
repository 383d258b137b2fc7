#pragma once

#include <functional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "trainer/measure/verification.h"
#include "trainer/report/html_report.h"
#include "trainer/report/run_rows.h"
#include "trainer/run/training_data.h"

namespace facegate {

// The cosines of the pairs of a set, as a model gives them.
struct SetScores {
  std::vector<ScoredPair> pairs;
  std::vector<size_t> numbers;  // of each in EvaluationSet::pairs
  FoldAccuracy accuracy;
  double tar_1e2 = 0.0;
  double tar_1e3 = 0.0;
  double threshold_1e3 = 0.0;  // the cosine above which one impostor pair in 1,000 lies
  size_t impostors = 0;
  double eer = 0.0;
  double auc = 0.0;
  double d_prime = 0.0;
};

// Embeds each photo once. Pairs of photos that cannot be read or have another size than the crop do
// not count; `on_bad_photo` names each. kInvalidArgument when too few pairs are left, with the
// reasons and how often each.
StatusOr<SetScores> ScoreSet(const EvaluationSet& set, Embedder& embedder,
                             const std::function<void(const Status&)>& on_bad_photo);

report::EvaluationRow RowOf(const SetScores& scores, const std::string& set, int64_t batch,
                            double epoch);

// Returns what the report shows, with the `most` genuine and impostor pairs that are hardest as
// pictures.
report::ScoredSet ReportOf(const EvaluationSet& set, const SetScores& scores, size_t most);

}  // namespace facegate
