#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/torch/backbone.h"
#include "face/weights/weights.h"
#include "trainer/learn/checkpoint.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/descent.h"
#include "trainer/learn/losses.h"
#include "trainer/learn/optimizer.h"
#include "trainer/learn/training_options.h"
#include "trainer/photos/loader.h"

namespace facegate {

// The opinion of a teacher of the pictures of a batch; empty where there is none.
struct TeacherTargets {
  std::span<const float> embeddings{};  // batch x embedding size
  // There is one for each map of the backbone (Chain::ForwardWithMaps()), batch x channels x height
  // x width in C order; none where maps have no weight.
  std::vector<std::span<const float>> maps{};
};

// Tells what one batch did.
struct StepReport {
  int64_t batch = 0;      // counted from 0
  double loss = 0.0;      // what is minimised, all terms together
  double accuracy = 0.0;  // share of photos whose own class is nearest, without the margin
  // DistillationLoss(), without its weight; absent without a teacher.
  std::optional<double> distillation;
  std::optional<double> map_distillation;  // the mean MapLoss(), as well
  double learning_rate = 0.0;
  double gradient_norm = 0.0;  // of the last update; of this batch where it was skipped for it
  // The loss or a gradient was not finite: nothing was changed by this batch.
  bool skipped = false;
};

// Tells what Training::StartFrom() did with given weights.
struct TakenWeights {
  size_t taken = 0;
  std::vector<std::string> left{};     // given, but not of the network: each in words
  std::vector<std::string> missing{};  // of the network, but not given: names
};

// A network that learns: backbone, head, optimiser, and everything that a checkpoint must hold for
// training to go on to the bit. On the CPU. Not thread-safe.
//
// `accumulate` batches are a group; at its end one update is made by the mean of their gradients. A
// batch whose loss or gradient is not finite is skipped: network, running statistics, what the
// margin learned, and the gradients gathered before it are what they were. Its place in the group
// is used up, and the update is the mean over the others; a group of skipped batches alone makes
// none, and the learning rate waits. So nothing is pending at the end of a group, and a checkpoint
// written there is complete.
class Training {
 public:
  // kInvalidArgument for options out of their range, and for a name to freeze that the backbone
  // does not have.
  static StatusOr<std::unique_ptr<Training>> Create(const TrainingOptions& options);

  // Begins with weights that were trained before instead of random ones: tensors "backbone.NAME"
  // and "head.NAME" whose names and shapes are the network's. Belongs before the first batch.
  // kInvalidArgument when no tensor of the backbone fits, or values are not finite; the training is
  // then of no use.
  StatusOr<TakenWeights> StartFrom(const TensorMap& weights);

  // Learns from the batch that is next (batches() of the loader's steps). Photos that are
  // Batch::kUnlabelled learn from the teacher alone.
  StatusOr<StepReport> Learn(const Batch& batch, const TeacherTargets& targets = {});
  // Channels, height and width of each map that a teacher is compared by.
  StatusOr<std::vector<std::vector<int64_t>>> MapShapes();
  // Raw embeddings of inputs as a Batch has them, by the averaged weights where there are some.
  std::vector<float> Embed(std::span<const float> pixels, int64_t count);

  int64_t batches() const { return batches_; }
  int64_t updates() const { return descent_->updates(); }

  // True when no update is half gathered: then alone may it be saved.
  bool at_update() const { return batches_ % options_.accumulate == 0; }
  // `facts` are the caller's own numbers, which Resume() gives back.
  Status Save(const std::string& path, CheckpointFacts facts);
  StatusOr<CheckpointFacts> Resume(const std::string& path);
  // The backbone's weights as a model file has them: averaged, where there is an average.
  StatusOr<TensorMap> Weights();

 private:
  Training(const TrainingOptions& options, std::shared_ptr<Backbone> backbone,
           std::shared_ptr<ClassHead> head);

  Status Freeze();
  // Puts all into training mode, but for what is frozen.
  void Train();
  std::vector<TrainedParameter> TrainedParameters() const;
  // Lists what a batch changes before it is known to count: running statistics, and what margins
  // learn.
  std::vector<torch::Tensor> LearnedBuffers() const;
  std::vector<NamedTensor> State();
  Status CheckTargets(const Batch& batch, const TeacherTargets& targets) const;
  // `maps` null: none are wanted.
  torch::Tensor Forward(const torch::Tensor& input, std::vector<torch::Tensor>* maps);
  // The loss of a batch, and what the report says of it.
  StatusOr<torch::Tensor> Loss(const Batch& batch, const TeacherTargets& targets,
                               StepReport& report);
  StatusOr<torch::Tensor> TeacherLoss(const torch::Tensor& embeddings,
                                      std::span<const torch::Tensor> maps,
                                      const torch::Tensor& with_maps, const TeacherTargets& targets,
                                      StepReport& report) const;
  torch::Tensor LabelledLoss(const torch::Tensor& embeddings, const torch::Tensor& labels,
                             StepReport& report);
  // Parameters and running statistics of the backbone, by name.
  std::vector<NamedTensor> Averaged() const;
  // Puts the averaged weights into the backbone, or takes them out again.
  void SwapAverage();
  void UpdateAverage();

  const TrainingOptions options_;
  const std::shared_ptr<Backbone> backbone_;
  const std::shared_ptr<ClassHead> head_;
  std::unique_ptr<Descent> descent_;
  std::vector<std::shared_ptr<torch::nn::Module>> frozen_;
  std::vector<NamedTensor> average_;  // of Averaged(); empty without one
  int64_t batches_ = 0;
};

}  // namespace facegate
