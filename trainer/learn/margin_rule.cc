#include "trainer/learn/margin_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>
#include <tuple>

namespace facegate {
namespace {

using torch::Tensor;

// A cosine must stay so far from -1 and 1 for the derivative of its angle to be finite: that of
// acos is 1 / sqrt(1 - c^2).
constexpr double kEdge = 1e-7;
constexpr double kAdaFaceEdge = 1e-3;  // as in the paper's code

// sin of the angle with that cosine; its derivative stays finite where the cosine is -1 or 1,
// because below the floor the gradient is zero.
Tensor SineOf(const Tensor& cosine) {
  return torch::sqrt(torch::clamp_min(1.0 - cosine * cosine, kEdge));
}

Tensor AngleOf(const Tensor& cosine) {
  return torch::acos(torch::clamp(cosine, -1.0 + kEdge, 1.0 - kEdge));
}

Tensor TargetOf(const CosineBatch& batch) {
  return batch.cosines.gather(1, batch.labels.unsqueeze(1)).squeeze(1);
}

// The cosines with others in the places of the right classes.
Tensor WithTarget(const CosineBatch& batch, const Tensor& target) {
  return batch.cosines.scatter(1, batch.labels.unsqueeze(1), target.unsqueeze(1));
}

// cos(angle + margin), margins a number or a tensor of N. Beyond angle = pi - margin the formula
// would fall back: there a line takes over (or, with easy margin, the plain cosine from 90 degrees
// on), as in the ArcFace authors' first code.
Tensor AddAngle(const Tensor& cosine, const Tensor& margin, bool easy_margin) {
  const Tensor moved = cosine * torch::cos(margin) - SineOf(cosine) * torch::sin(margin);
  if (easy_margin) return torch::where(cosine > 0.0, moved, cosine);
  const Tensor edge = torch::cos(std::numbers::pi - margin);
  const Tensor line = cosine - torch::sin(std::numbers::pi - margin) * margin;
  return torch::where(cosine > edge, moved, line);
}

Tensor Constant(double value, const Tensor& like) { return torch::full_like(like, value); }

class Softmax final : public MarginRule {
 public:
  explicit Softmax(const MarginOptions& options) : scale_(options.scale) {}
  MarginResult Apply(const CosineBatch& batch, double /*strength*/) override {
    return {.logits = batch.cosines * scale_, .added_loss = {}};
  }

 private:
  const double scale_;
};

// Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", 2019.
class ArcFace final : public MarginRule {
 public:
  explicit ArcFace(const MarginOptions& options) : options_(options) {}
  MarginResult Apply(const CosineBatch& batch, double strength) override {
    const Tensor target = TargetOf(batch);
    const double margin = options_.margin * strength;
    Tensor moved;
    if (options_.gradient == MarginGradient::kExact) {
      moved = AddAngle(target, Constant(margin, target), options_.easy_margin);
    } else {
      const Tensor value = torch::cos(torch::acos(torch::clamp(target, -1.0, 1.0)) + margin);
      moved = target + (value - target).detach();
    }
    return {.logits = WithTarget(batch, moved) * options_.scale, .added_loss = {}};
  }

 private:
  const MarginOptions options_;
};

// Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", 2018.
class CosFace final : public MarginRule {
 public:
  explicit CosFace(const MarginOptions& options) : options_(options) {}
  MarginResult Apply(const CosineBatch& batch, double strength) override {
    const Tensor moved = TargetOf(batch) - options_.margin * strength;
    return {.logits = WithTarget(batch, moved) * options_.scale, .added_loss = {}};
  }

 private:
  const MarginOptions options_;
};

// cos(m1 angle + m2) - m3: SphereFace, ArcFace and CosFace in one (Deng et al., 2019, eq. 4).
class Combined final : public MarginRule {
 public:
  explicit Combined(const MarginOptions& options) : options_(options) {}
  MarginResult Apply(const CosineBatch& batch, double strength) override {
    const Tensor target = TargetOf(batch);
    const double m1 = 1.0 + (options_.m1 - 1.0) * strength;
    const Tensor value =
        torch::cos(AngleOf(target) * m1 + options_.m2 * strength) - options_.m3 * strength;
    const Tensor moved =
        options_.gradient == MarginGradient::kExact ? value : target + (value - target).detach();
    return {.logits = WithTarget(batch, moved) * options_.scale, .added_loss = {}};
  }

 private:
  const MarginOptions options_;
};

// Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", 2017: a multiple of
// the angle, made monotonic, which is mixed with the plain cosine less and less. Logits keep the
// norm of the embedding instead of a scale.
class SphereFace final : public MarginRule {
 public:
  explicit SphereFace(const MarginOptions& options)
      : options_(options), step_(torch::zeros({}, torch::kDouble)) {}

  MarginResult Apply(const CosineBatch& batch, double strength) override {
    step_ += 1.0;
    const double lambda =
        std::max(options_.lambda_minimum,
                 options_.lambda_base * std::pow(1.0 + options_.lambda_gamma * step_.item<double>(),
                                                 -options_.lambda_power));
    const int m = options_.angle_factor;
    const Tensor target = TargetOf(batch);
    const Tensor angle = AngleOf(target);
    const Tensor turns = torch::floor(angle.detach() * (m / std::numbers::pi));
    const Tensor sign = 1.0 - 2.0 * torch::remainder(turns, 2.0);
    const Tensor monotonic = sign * torch::cos(angle * static_cast<double>(m)) - 2.0 * turns;
    const Tensor moved = target + (monotonic - target) * (strength / (1.0 + lambda));
    return {.logits = WithTarget(batch, moved) * batch.norms.unsqueeze(1), .added_loss = {}};
  }
  std::vector<Buffer> buffers() override { return {{"step", step_}}; }
  bool computes_on_host() const override { return true; }

 private:
  const MarginOptions options_;
  Tensor step_;
};

// Kim et al., "AdaFace: Quality Adaptive Margin for Face Recognition", 2022: the norm, as a measure
// of the picture's quality, decides how much of the margin is angular and how much is added.
class AdaFace final : public MarginRule {
 public:
  explicit AdaFace(const MarginOptions& options)
      : options_(options),
        mean_(torch::full({}, 20.0, torch::kDouble)),
        deviation_(torch::full({}, 100.0, torch::kDouble)) {}

  MarginResult Apply(const CosineBatch& batch, double strength) override {
    const Tensor norms = torch::clamp(batch.norms, 0.001, 100.0).detach();
    {
      const torch::NoGradGuard no_grad;
      const double share = options_.norm_momentum;
      mean_.mul_(1.0 - share).add_(norms.mean().to(mean_.options()), share);
      // The deviation of a single sample is not defined.
      if (norms.size(0) > 1) {
        deviation_.mul_(1.0 - share).add_(norms.std().to(deviation_.options()), share);
      }
    }
    const Tensor spread = deviation_ + kAdaFaceEdge;
    const Tensor slope = Constant(options_.h, spread) / spread;
    const Tensor quality = torch::clamp((norms - mean_) * slope, -1.0, 1.0);
    const double margin = options_.margin * strength;
    const Tensor target = torch::clamp(TargetOf(batch), -1.0 + kAdaFaceEdge, 1.0 - kAdaFaceEdge);
    const Tensor angle = torch::clamp(torch::acos(target) - quality * margin, kAdaFaceEdge,
                                      std::numbers::pi - kAdaFaceEdge);
    const Tensor moved = torch::cos(angle) - (margin + quality * margin);
    const CosineBatch clamped{
        .cosines = torch::clamp(batch.cosines, -1.0 + kAdaFaceEdge, 1.0 - kAdaFaceEdge),
        .norms = batch.norms,
        .labels = batch.labels};
    return {.logits = WithTarget(clamped, moved) * options_.scale, .added_loss = {}};
  }
  std::vector<Buffer> buffers() override {
    return {{"norm_mean", mean_}, {"norm_deviation", deviation_}};
  }

 private:
  const MarginOptions options_;
  Tensor mean_;
  Tensor deviation_;
};

// Meng et al., "MagFace: A Universal Representation for Face Recognition and Quality Assessment",
// 2021: the margin grows with the norm, and an added loss keeps norms from staying small.
class MagFace final : public MarginRule {
 public:
  explicit MagFace(const MarginOptions& options) : options_(options) {}
  MarginResult Apply(const CosineBatch& batch, double strength) override {
    const Tensor norms = torch::clamp(batch.norms, options_.lower_norm, options_.upper_norm);
    const double slope = (options_.upper_margin - options_.lower_margin) /
                         (options_.upper_norm - options_.lower_norm);
    const Tensor margin =
        ((norms - options_.lower_norm) * slope + options_.lower_margin) * strength;
    const Tensor moved = AddAngle(TargetOf(batch), margin, options_.easy_margin);
    const Tensor regulariser =
        norms / (options_.upper_norm * options_.upper_norm) + torch::reciprocal(norms);
    return {.logits = WithTarget(batch, moved) * options_.scale,
            .added_loss = regulariser.mean() * options_.norm_weight};
  }

 private:
  const MarginOptions options_;
};

// Huang et al., "CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition",
// 2020: ArcFace's margin, and other classes that come closer than the right one weigh more the
// further training is.
class CurricularFace final : public MarginRule {
 public:
  explicit CurricularFace(const MarginOptions& options)
      : options_(options), progress_(torch::zeros({}, torch::kDouble)) {}

  MarginResult Apply(const CosineBatch& batch, double strength) override {
    const Tensor target = TargetOf(batch);
    const Tensor margin = Constant(options_.margin * strength, target);
    const Tensor moved = AddAngle(target, margin, false);
    const Tensor bare = target * torch::cos(margin) - SineOf(target) * torch::sin(margin);
    {
      const torch::NoGradGuard no_grad;
      progress_.mul_(0.99).add_(target.mean().to(progress_.options()), 0.01);
    }
    const Tensor hard = batch.cosines > bare.unsqueeze(1);
    const CosineBatch weighted{
        .cosines = torch::where(hard, batch.cosines * (batch.cosines + progress_), batch.cosines),
        .norms = batch.norms,
        .labels = batch.labels};
    return {.logits = WithTarget(weighted, moved) * options_.scale, .added_loss = {}};
  }
  std::vector<Buffer> buffers() override { return {{"progress", progress_}}; }

 private:
  const MarginOptions options_;
  Tensor progress_;
};

Status CheckOptions(const MarginOptions& options) {
  const std::tuple<std::string_view, double, NumberRange> all[] = {
      {"scale", options.scale, HeadRange::kScale},
      {"margin", options.margin, HeadRange::kAngle},
      {"m1", options.m1, HeadRange::kM1},
      {"m2", options.m2, HeadRange::kAngle},
      {"m3", options.m3, HeadRange::kM3},
      {"angle_factor", options.angle_factor, HeadRange::kAngleFactor},
      {"lambda_base", options.lambda_base, HeadRange::kLambda},
      {"lambda_gamma", options.lambda_gamma, HeadRange::kLambdaShape},
      {"lambda_power", options.lambda_power, HeadRange::kLambdaShape},
      {"lambda_minimum", options.lambda_minimum, HeadRange::kLambda},
      {"h", options.h, HeadRange::kH},
      {"norm_momentum", options.norm_momentum, HeadRange::kNormMomentum},
      {"lower_norm", options.lower_norm, HeadRange::kLowerNorm},
      {"upper_norm", options.upper_norm, HeadRange::kUpperNorm},
      {"lower_margin", options.lower_margin, HeadRange::kAngle},
      {"upper_margin", options.upper_margin, HeadRange::kAngle},
      {"norm_weight", options.norm_weight, HeadRange::kNormWeight}};
  for (const auto& [name, value, range] : all) {
    FACEGATE_RETURN_IF_ERROR(CheckRange(name, value, range));
  }
  if (options.upper_norm > options.lower_norm) return OkStatus();
  return InvalidArgument(fmt::format("upper_norm is {}, must be above lower_norm, which is {}",
                                     options.upper_norm, options.lower_norm));
}

}  // namespace

const std::vector<std::string>& MarginKinds() {
  static const std::vector<std::string> kinds = {"arcface", "cosface", "sphereface",     "combined",
                                                 "adaface", "magface", "curricularface", "softmax"};
  return kinds;
}

std::optional<double> DefaultMargin(std::string_view kind) {
  if (kind == "arcface" || kind == "curricularface") return 0.5;
  if (kind == "cosface") return 0.35;
  if (kind == "adaface") return 0.4;
  return std::nullopt;
}

StatusOr<std::unique_ptr<MarginRule>> MakeMarginRule(const MarginOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<MarginRule> rule;
  if (options.kind == "arcface") rule = std::make_unique<ArcFace>(options);
  if (options.kind == "cosface") rule = std::make_unique<CosFace>(options);
  if (options.kind == "sphereface") rule = std::make_unique<SphereFace>(options);
  if (options.kind == "combined") rule = std::make_unique<Combined>(options);
  if (options.kind == "adaface") rule = std::make_unique<AdaFace>(options);
  if (options.kind == "magface") rule = std::make_unique<MagFace>(options);
  if (options.kind == "curricularface") rule = std::make_unique<CurricularFace>(options);
  if (options.kind == "softmax") rule = std::make_unique<Softmax>(options);
  if (rule == nullptr) {
    return InvalidArgument(
        fmt::format("the head {} is not one of {}", options.kind, fmt::join(MarginKinds(), ", ")));
  }
  return rule;
}

}  // namespace facegate
