#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "face/base/status.h"
#include "trainer/learn/head_options.h"
#include "trainer/learn/margin_rule.h"

namespace facegate {

// The answer of the head to a batch.
struct HeadOutput {
  torch::Tensor logits;      // N x classes compared with
  torch::Tensor labels;      // N, the place of the right class among them
  torch::Tensor cosines;     // like logits, without margin and scale; no gradient
  torch::Tensor added_loss;  // a scalar; undefined where there is none
  torch::Tensor classes;     // those compared with, ascending, int64; undefined: all of them
};

// The last layer of training: a centre (or a few) for each class, which is not part of the model
// that it trains. Its parameters are "weight" (classes · sub_centers x embedding) and, for a linear
// one, "bias".
class ClassHead : public torch::nn::Module {
 public:
  // kInvalidArgument for options out of their range.
  static StatusOr<std::shared_ptr<ClassHead>> Create(const ClassHeadOptions& options);

  // `embeddings` is N x embedding_size, as the network gives them; `labels` N, int64. The classes
  // of a sampled step follow from the seed and `step` alone. `strength`: see MarginRule.
  HeadOutput Forward(const torch::Tensor& embeddings, const torch::Tensor& labels, int64_t step,
                     double strength);

  // Moves it to where embeddings are made.
  void MoveTo(const torch::Device& device);
  // True where the same operators do every step with as many embeddings, once the margin has its
  // full strength.
  bool repeats() const { return options_.sample_rate >= 1.0 && !rule_->computes_on_host(); }

  const ClassHeadOptions& options() const { return options_; }
  // The buffers of the margin rule.
  std::vector<MarginRule::Buffer> rule_buffers() { return rule_->buffers(); }

 private:
  ClassHead(const ClassHeadOptions& options, std::unique_ptr<MarginRule> rule);

  // The batch's classes and random others, ascending.
  torch::Tensor SampleClasses(const torch::Tensor& labels, int64_t step) const;
  torch::Tensor Cosines(const torch::Tensor& unit, const torch::Tensor& classes) const;
  // Those of other classes that are above the filter become 0, and have no gradient.
  torch::Tensor Filtered(const torch::Tensor& cosines, const torch::Tensor& labels) const;

  const ClassHeadOptions options_;
  const std::unique_ptr<MarginRule> rule_;
  torch::Tensor weight_;
  torch::Tensor bias_;
};

}  // namespace facegate
