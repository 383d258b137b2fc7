#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// How the gradient passes an angular margin.
enum class MarginGradient {
  kExact,            // the derivative of the formula
  kStraightThrough,  // as if the margin were a constant (InsightFace's losses.py)
};

struct MarginOptions {
  // "arcface", "cosface", "sphereface", "combined", "adaface", "magface", "curricularface",
  // "softmax" (no margin: normalised softmax).
  std::string kind = "arcface";
  double scale = 64.0;  // s, > 0
  double margin =
      0.5;  // m; radians for arcface and curricularface, a cosine for cosface and adaface

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

// The cosines of a batch with all classes, as a rule sees them.
struct CosineBatch {
  torch::Tensor cosines;  // N x C, -1..1
  torch::Tensor norms;    // N, of the embeddings before normalisation
  torch::Tensor labels;   // N, int64, 0..C-1
};

struct MarginResult {
  torch::Tensor logits;      // N x C, scaled
  torch::Tensor added_loss;  // a scalar; undefined where there is none
};

// Makes it harder for the right class: the margin of a loss of the ArcFace family. What it learns
// from batches (running means, steps) are buffers, by name, so that a checkpoint holds them.
class MarginRule {
 public:
  virtual ~MarginRule() = default;
  // In training mode; margins times `strength` (0: none, 1: all) where training warms up.
  virtual MarginResult Apply(const CosineBatch& batch, double strength) = 0;
  // Scalars in double, empty where the rule learns nothing; written back after a checkpoint was
  // read.
  struct Buffer {
    std::string name;
    torch::Tensor value;
  };
  virtual std::vector<Buffer> buffers() { return {}; }
};

// kInvalidArgument for an unknown kind or a number out of its range.
StatusOr<std::unique_ptr<MarginRule>> MakeMarginRule(const MarginOptions& options);

// The names that MarginOptions::kind takes.
const std::vector<std::string>& MarginKinds();

}  // namespace facegate
