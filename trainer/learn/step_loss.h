#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "face/torch/backbone.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/staged_batch.h"
#include "trainer/learn/training_options.h"
#include "trainer/parallel/process_group.h"

namespace facegate {

// What a step says of a batch: scalars where the network computes, which nobody has waited for.
// Undefined where the batch has no such part.
struct StepNumbers {
  torch::Tensor loss{};  // what is minimised, all terms together; the only one with a gradient
  torch::Tensor accuracy{};
  torch::Tensor distillation{};
  torch::Tensor map_distillation{};
};

// The way from a batch to its loss. Not thread-safe.
class StepLoss {
 public:
  // With a `group` the head is split, and there is no teacher.
  StepLoss(const TrainingOptions& options, std::shared_ptr<Backbone> backbone,
           std::shared_ptr<ClassHead> head, std::shared_ptr<ProcessGroup> group = nullptr)
      : options_(options),
        backbone_(std::move(backbone)),
        head_(std::move(head)),
        group_(std::move(group)) {}

  // The loss of a batch that has labels, a teacher's opinion, or both; `batches` were learned
  // before it. Of several processes each has its part of the batch, and gets the loss of the whole.
  // kInvalidArgument where the teacher's maps are not of the network's shapes.
  StatusOr<StepNumbers> Of(const StagedBatch& batch, int64_t batches);

  // True where Of() queues the same operators for each plain batch of as many photos from here on.
  bool repeats(int64_t batches) const {
    return head_->repeats() && options_.likeness == 0.0 && batches >= options_.margin_warmup;
  }

 private:
  // How much of the margin is applied after so many batches, 0 to 1.
  double strength(int64_t batches) const;
  // `maps` null: none are wanted.
  torch::Tensor Forward(const torch::Tensor& input, std::vector<torch::Tensor>* maps);
  torch::Tensor LabelledLoss(const torch::Tensor& embeddings, const torch::Tensor& labels,
                             int64_t batches, StepNumbers& numbers);
  // The same of the parts of all processes.
  torch::Tensor SplitLoss(const HeadOutput& output, StepNumbers& numbers) const;
  torch::Tensor LikenessOf(const torch::Tensor& embeddings, const StagedBatch& batch) const;
  StatusOr<torch::Tensor> TeacherLoss(const torch::Tensor& embeddings,
                                      std::span<const torch::Tensor> maps, const StagedBatch& batch,
                                      StepNumbers& numbers) const;

  const TrainingOptions options_;
  const std::shared_ptr<Backbone> backbone_;
  const std::shared_ptr<ClassHead> head_;
  const std::shared_ptr<ProcessGroup> group_;  // null: one process
};

// A batch as convolutions read it best.
torch::Tensor InMemoryOrder(const torch::Tensor& input, bool channels_last);

}  // namespace facegate
