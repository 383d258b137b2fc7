#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "face/base/status.h"
#include "trainer/learn/head_options.h"
#include "trainer/learn/margin_rule.h"
#include "trainer/parallel/process_group.h"

namespace facegate {

// The answer of the head to a batch.
struct HeadOutput {
  torch::Tensor logits;      // N x classes compared with
  torch::Tensor labels;      // N, the place of the right class among them
  torch::Tensor cosines;     // like logits, without margin and scale; no gradient
  torch::Tensor added_loss;  // a scalar; undefined where there is none
  torch::Tensor classes;     // those compared with, ascending, int64; undefined: all of them
  // Of a split head alone. Columns are the classes of this process, and a last one, which has the
  // right class of each row; this says where another column is that of the right class, whose
  // numbers count for nothing. N x classes of this process, bool.
  torch::Tensor elsewhere;
};

// The last layer of training: a centre (or a few) for each class, which is not part of the model
// that it trains. Its parameters are "weight" (classes · sub_centers x embedding) and, for a linear
// one, "bias".
//
// Where processes train together it is split by classes: each has the centres of some (as Partial
// FC has them, An et al., 2022), and compares the embeddings of all photos with those.
class ClassHead : public torch::nn::Module {
 public:
  // kInvalidArgument for options out of their range, and for fewer classes than processes. `group`
  // null: it is whole.
  static StatusOr<std::shared_ptr<ClassHead>> Create(const ClassHeadOptions& options,
                                                     std::shared_ptr<ProcessGroup> group = nullptr);

  // `embeddings` is N x embedding_size, as the network gives them; `labels` N, int64. The classes
  // of a sampled step follow from the seed and `step` alone. `strength`: see MarginRule. A split
  // head takes the embeddings and labels of all processes, and every process calls it.
  HeadOutput Forward(const torch::Tensor& embeddings, const torch::Tensor& labels, int64_t step,
                     double strength);

  // The same of photos that are not learned from: all classes are compared with, without sampling
  // and filter. The margin's statistics are fed as ever. For a head that is whole.
  HeadOutput Compare(const torch::Tensor& embeddings, const torch::Tensor& labels, double strength);

  // Moves it to where embeddings are made.
  void MoveTo(const torch::Device& device);
  // True where the same operators do every step with as many embeddings, once the margin has its
  // full strength.
  bool repeats() const { return options_.sample_rate >= 1.0 && !rule_->computes_on_host(); }

  const ClassHeadOptions& options() const { return options_; }
  // The classes whose centres it has: begin to end - 1, all where it is whole.
  struct Range {
    int64_t begin = 0;
    int64_t end = 0;
    int64_t size() const { return end - begin; }
  };
  const Range& own() const { return own_; }
  // The buffers of the margin rule.
  std::vector<MarginRule::Buffer> rule_buffers() { return rule_->buffers(); }

 private:
  ClassHead(const ClassHeadOptions& options, std::unique_ptr<MarginRule> rule,
            std::shared_ptr<ProcessGroup> group);

  // The batch's classes and random others, ascending.
  torch::Tensor SampleClasses(const torch::Tensor& labels, int64_t step) const;
  // `classes`: of its own, counted from their beginning; undefined: all of its own.
  torch::Tensor Cosines(const torch::Tensor& unit, const torch::Tensor& classes) const;
  torch::Tensor Linear(const torch::Tensor& rows) const;
  // Those of other classes that are above the filter become 0, and have no gradient.
  torch::Tensor Filtered(const torch::Tensor& cosines, const torch::Tensor& is_right) const;
  HeadOutput ForwardSplit(const torch::Tensor& rows, const torch::Tensor& labels, int64_t step,
                          double strength);
  void ApplyMargin(const torch::Tensor& cosines, const torch::Tensor& rows, double strength,
                   HeadOutput& output);

  const ClassHeadOptions options_;
  const std::unique_ptr<MarginRule> rule_;
  const std::shared_ptr<ProcessGroup> group_;  // null: it is whole
  const Range own_;
  torch::Tensor weight_;
  torch::Tensor bias_;
};

}  // namespace facegate
