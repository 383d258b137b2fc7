#include "trainer/learn/gradient_scaler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

namespace facegate {
namespace {

constexpr char kScale[] = "loss_scale";
constexpr char kGood[] = "loss_scale_good";
constexpr double kStep = 2.0;

bool IsScale(double value) {
  return value >= GradientScaler::kLeast && value <= GradientScaler::kMost &&
         std::exp2(std::round(std::log2(value))) == value;
}

}  // namespace

void GradientScaler::After(bool finite) {
  if (!finite) {
    scale_ = std::max(kLeast, scale_ / kStep);
    good_ = 0;
    return;
  }
  good_ += 1;
  if (good_ < kGoodBeforeDoubling) return;
  scale_ = std::min(kMost, scale_ * kStep);
  good_ = 0;
}

void GradientScaler::Save(CheckpointFacts& facts) const {
  facts[kScale] = fmt::format("{}", scale_);
  facts[kGood] = std::to_string(good_);
}

Status GradientScaler::Resume(const CheckpointFacts& facts) {
  *this = GradientScaler();
  if (!facts.contains(kScale)) return OkStatus();
  const auto scale = NumberIn<double>(facts, kScale);
  FACEGATE_ASSIGN_OR_RETURN(const int64_t good, CountIn(facts, kGood));
  if (!scale.has_value() || !IsScale(*scale) || good >= kGoodBeforeDoubling) {
    return InvalidArgument(
        fmt::format("the checkpoint's {} is {} after {} good batches, which cannot be", kScale,
                    facts.at(kScale), good));
  }
  scale_ = *scale;
  good_ = good;
  return OkStatus();
}

}  // namespace facegate
