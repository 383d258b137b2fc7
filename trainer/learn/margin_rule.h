#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/head_options.h"

namespace facegate {

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
  // Applies the rule in training mode; margins times `strength` (0: none, 1: all) where training
  // warms up.
  virtual MarginResult Apply(const CosineBatch& batch, double strength) = 0;
  // Scalars in double, empty where the rule learns nothing; written back after a checkpoint was
  // read.
  struct Buffer {
    std::string name;
    torch::Tensor value;
  };
  virtual std::vector<Buffer> buffers() { return {}; }
  // True where Apply() computes with numbers of its buffers itself: they stay on the CPU, and the
  // same operators do not do the next step.
  virtual bool computes_on_host() const { return false; }
};

// kInvalidArgument for an unknown kind or a number out of its range.
StatusOr<std::unique_ptr<MarginRule>> MakeMarginRule(const MarginOptions& options);

}  // namespace facegate
