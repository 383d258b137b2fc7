#pragma once

#include <cstdint>
#include <limits>
#include <string>

// These rows are written down while a network learns.
namespace facegate::report {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// One batch. Batches count from 0; NaN is what was not measured.
struct StepRow {
  int64_t batch = 0;
  double epoch = 0.0;  // 1.5: in the middle of the second
  double loss = kNotMeasured;
  double distillation = kNotMeasured;      // the part of the loss that a teacher gives
  double map_distillation = kNotMeasured;  // and that of its maps
  double accuracy = kNotMeasured;          // 0..1, of the training classes
  double learning_rate = kNotMeasured;
  double gradient_norm = kNotMeasured;
  double images_per_second = kNotMeasured;
};

// The figures of one set of pairs after `batch` batches.
struct EvaluationRow {
  int64_t batch = 0;
  double epoch = 0.0;
  std::string set;
  double accuracy = kNotMeasured;   // 0..1, cross-validated, exact thresholds
  double deviation = kNotMeasured;  // over the folds
  double tar_1e2 = kNotMeasured;    // true accept rate at a false accept rate of 1e-2, 0..1
  double tar_1e3 = kNotMeasured;
  double eer = kNotMeasured;
  double auc = kNotMeasured;
  double d_prime = kNotMeasured;
  double threshold = kNotMeasured;  // the cosine, the mean of the folds'
};

}  // namespace facegate::report
