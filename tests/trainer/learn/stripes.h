#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>

#include "face/base/random.h"
#include "tests/support/status_matchers.h"
#include "trainer/learn/training.h"

// A training that takes moments: pictures of stripes, as many apart as the class says. They are
// small, as what learns from them hardly depends on their size; tests of cards have whole crops.
#ifndef FACEGATE_STRIPE_SIDE
#define FACEGATE_STRIPE_SIDE 48
#endif

namespace facegate {

constexpr int64_t kStripeBatch = 4;
constexpr int64_t kStripeClasses = 4;
constexpr size_t kStripeSide = FACEGATE_STRIPE_SIDE;
constexpr size_t kStripeInput = 3 * kStripeSide * kStripeSide;

// Another offset in each batch.
inline Batch StripesAt(size_t step) {
  Batch batch;
  batch.step = step;
  for (size_t i = 0; i < kStripeBatch; ++i) {
    RandomStream random(7, step, i);
    const auto label = static_cast<int64_t>(random.Below(kStripeClasses));
    const double offset = random.Uniform(0.0, 6.28);
    for (size_t at = 0; at < kStripeInput; ++at) {
      const double x = 112.0 * static_cast<double>(at % kStripeSide) / kStripeSide;
      batch.pixels.push_back(
          static_cast<float>(std::sin(x * 0.15 * static_cast<double>(label + 1) + offset)));
    }
    batch.labels.push_back(label);
    batch.photos.push_back(i);
  }
  return batch;
}

inline TrainingOptions StripesOptions() {
  TrainingOptions options;
  options.architecture = fmt::format("mobilefacenet-128@{0}x{0}", kStripeSide);
  options.head = {.classes = kStripeClasses,
                  .embedding_size = 128,
                  .margin = {.kind = "cosface", .scale = 16.0, .margin = 0.2}};
  options.schedule = {.kind = "cosine", .base = 0.05, .total = 40, .warmup = 2};
  options.clip_norm = 5.0;
  return options;
}

inline std::unique_ptr<Training> BeginTraining(const TrainingOptions& options) {
  auto training = Training::Create(options);
  EXPECT_THAT(training, IsOk());
  return *std::move(training);
}

inline StepReport LearnAt(Training& training, size_t step) {
  const auto report = training.Learn(StripesAt(step));
  EXPECT_THAT(report, IsOk());
  return report.ok() ? *report : StepReport{};
}

}  // namespace facegate
