#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trainer/photos/dataset.h"
#include "trainer/report/run_rows.h"

namespace facegate {

// Says in words, each once, what goes wrong in trainings without an error anywhere. Not
// thread-safe.
class TrainingGuard {
 public:
  // `identities` is the number of classes; the schedule is past its warm-up after `warmup_batches`.
  TrainingGuard(size_t identities, int64_t warmup_batches);

  // The accuracy on the training photos stays at chance although the rate has been at its height
  // for a while; or it falls to a fraction of what it was (the margin is evaded: embeddings turn
  // away from all centres, where it costs least); or the loss grows far above where it began.
  std::optional<std::string> Step(const report::StepRow& row);
  // The accuracy on pairs stays at one half although the training photos are learned.
  std::optional<std::string> Evaluation(const report::EvaluationRow& row);

 private:
  const double chance_;
  const int64_t patience_;  // batches
  double accuracy_ = 0.0;   // running means
  double best_accuracy_ = 0.0;
  double loss_ = 0.0;
  double first_loss_ = 0.0;
  int64_t steps_ = 0;
  bool said_chance_ = false;
  bool said_growth_ = false;
  bool said_fall_ = false;
  bool said_pairs_ = false;
};

// Says so where faces are bluer than red in the middle, as no skin is: red and blue were swapped
// when the photos were made. Looks at up to `most` photos of `dataset`, evenly spread; photos that
// cannot be read and grey ones do not count.
std::optional<std::string> SwappedChannels(const Dataset& dataset, size_t most);

}  // namespace facegate
