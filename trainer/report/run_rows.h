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

// Figures of photos that were kept from training, of people who are trained on, after `batch`
// batches. The shares are of photos whose class is among the nearest, without the margin.
struct ValidationRow {
  int64_t batch = 0;
  double epoch = 0.0;
  double loss = kNotMeasured;   // that of the training, its head's margin with it
  double top_1 = kNotMeasured;  // 0..1
  double top_3 = kNotMeasured;
  double top_5 = kNotMeasured;
  double top_10 = kNotMeasured;
};

}  // namespace facegate::report
