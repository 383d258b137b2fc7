#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/number_range.h"

// These say what can be chosen about the head of a training. No LibTorch: recipes hold these.
namespace facegate {

// Says how the gradient passes an angular margin.
enum class MarginGradient {
  kExact,            // the derivative of the formula
  kStraightThrough,  // as if the margin were a constant (InsightFace's losses.py)
};

// The ranges of the options below.
struct HeadRange {
  static constexpr NumberRange kScale{.min = 0.001, .max = 1e4};
  static constexpr NumberRange kAngle{.min = 0.0, .max = 3.14};  // margins
  static constexpr NumberRange kM1{.min = 0.001, .max = 100.0};
  static constexpr NumberRange kM3{.min = 0.0, .max = 1.0};
  static constexpr NumberRange kAngleFactor{.min = 1.0, .max = 8.0};
  static constexpr NumberRange kLambda{.min = 0.0, .max = 1e9};
  static constexpr NumberRange kLambdaShape{.min = 0.0, .max = 1e3};
  static constexpr NumberRange kH{.min = 0.0, .max = 100.0};
  static constexpr NumberRange kNormMomentum{.min = 1e-6, .max = 1.0};
  static constexpr NumberRange kLowerNorm{.min = 1e-3, .max = 1e5};
  static constexpr NumberRange kUpperNorm{.min = 2e-3, .max = 1e6};
  static constexpr NumberRange kNormWeight{.min = 0.0, .max = 1e6};
  static constexpr NumberRange kSubCenters{.min = 1.0, .max = 16.0};
  static constexpr NumberRange kSampleRate{.min = 1e-6, .max = 1.0};
  static constexpr NumberRange kInterclassFilter{.min = 0.0, .max = 1.0};
  static constexpr NumberRange kFocalGamma{.min = 0.0, .max = 100.0};
  static constexpr NumberRange kSmoothing{.min = 0.0, .max = 1.0};
};

struct MarginOptions {
  // "arcface", "cosface", "sphereface", "combined", "adaface", "magface", "curricularface",
  // "softmax" (no margin: normalised softmax).
  std::string kind = "arcface";
  double scale = 64.0;  // s
  // m; radians for arcface and curricularface, a cosine for cosface and adaface; see
  // DefaultMargin()
  double margin = 0.5;

  bool easy_margin = false;  // arcface, magface: no margin where the angle is above 90 degrees
  MarginGradient gradient = MarginGradient::kExact;  // arcface, combined

  // combined: cos(m1 angle + m2) - m3
  double m1 = 1.0;
  double m2 = 0.5;
  double m3 = 0.0;

  // sphereface: cos(m angle), m a whole number; mixed with the plain cosine by 1 / (1 + lambda),
  // lambda = max(minimum, base (1 + gamma step)^-power)
  int angle_factor = 4;
  double lambda_base = 1000.0;
  double lambda_gamma = 0.12;
  double lambda_power = 1.0;
  double lambda_minimum = 5.0;

  // adaface: how strongly the norm moves the margin, and the share of a batch in the running mean
  // and deviation of norms
  double h = 0.333;
  double norm_momentum = 0.01;

  // magface: the margin grows from `lower_margin` to `upper_margin` as the norm does from
  // `lower_norm` to `upper_norm`; `norm_weight` scales the added loss that holds norms up
  double lower_norm = 10.0;
  double upper_norm = 110.0;
  double lower_margin = 0.45;
  double upper_margin = 0.8;
  double norm_weight = 35.0;
};

struct ClassHeadOptions {
  int64_t classes = 0;         // >= 2
  int64_t embedding_size = 0;  // >= 1
  // Centres of each class, of which the nearest counts (sub-centre ArcFace, Deng et al., 2020):
  // noisy labels gather around the others.
  int64_t sub_centers = 1;
  // The share of classes that a step compares with, 0 < rate <= 1; those of the batch are always
  // among them (Partial FC, An et al., 2021).
  double sample_rate = 1.0;
  // Other classes whose cosine is above it do not count: where labels are noisy, they may be the
  // same person (InsightFace's interclass filtering). 0: all count.
  double interclass_filter = 0.0;
  // A plain linear layer with a bias instead of cosines and a margin.
  bool linear = false;
  MarginOptions margin{};
  uint64_t seed = 1;  // of the weights and of the sampling
};

struct LossOptions {
  // Focal loss (Lin et al., 2017) of each sample: (1 - p)^gamma times its cross entropy; 0: cross
  // entropy.
  double focal_gamma = 0.0;
  double label_smoothing = 0.0;  // 0..1: the share of the target that all classes have alike
};

// The names that MarginOptions::kind takes.
const std::vector<std::string>& MarginKinds();

// MarginOptions::margin as the paper of the kind has it; nothing for a kind that does not use it.
std::optional<double> DefaultMargin(std::string_view kind);

}  // namespace facegate
