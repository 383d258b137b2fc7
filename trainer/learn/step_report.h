#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace facegate {

// Tells what one batch did.
struct StepReport {
  int64_t batch = 0;      // counted from 0
  double loss = 0.0;      // what is minimised, all terms together
  double accuracy = 0.0;  // share of photos whose own class is nearest, without the margin
  // DistillationLoss(), without its weight; absent without a teacher.
  std::optional<double> distillation;
  std::optional<double> map_distillation;  // the mean MapLoss(), as well
  double learning_rate = 0.0;
  double gradient_norm = 0.0;  // of the last update; of this batch where it was skipped for it
  // The loss or a gradient was not finite: nothing was changed by this batch.
  bool skipped = false;
  // What the loss was multiplied by; absent where it was not (see GradientScaler).
  std::optional<double> loss_scale;
  std::string note{};  // something that whoever trains should know, a sentence; empty: nothing
};

}  // namespace facegate
