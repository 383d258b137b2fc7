#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/torch/backbone.h"
#include "face/weights/weights.h"
#include "trainer/learn/card.h"
#include "trainer/learn/card_step.h"
#include "trainer/learn/checkpoint.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/descent.h"
#include "trainer/learn/optimizer.h"
#include "trainer/learn/staged_batch.h"
#include "trainer/learn/step_loss.h"
#include "trainer/learn/step_report.h"
#include "trainer/learn/training_options.h"
#include "trainer/parallel/process_group.h"
#include "trainer/photos/loader.h"

namespace facegate {

// Tells what Training::StartFrom() did with given weights.
struct TakenWeights {
  size_t taken = 0;
  std::vector<std::string> left{};     // given, but not of the network: each in words
  std::vector<std::string> missing{};  // of the network, but not given: names
};

// Sums over photos that are not learned from.
struct ValidationSums {
  static constexpr std::array<int64_t, 4> kNearest = {1, 3, 5, 10};

  int64_t photos = 0;
  double loss = 0.0;  // the head's, with its whole margin, also where that still grows
  // Photos whose right class is among the nearest so many, without the margin; of classes that are
  // as near as it, none counts as nearer. A cosine that is no number is among none.
  std::array<int64_t, 4> among{};
};

// A network that learns: backbone, head, optimiser, and everything that a checkpoint must hold for
// training to go on, to the bit on the same kind of device (on a card: with
// TrainingOptions::deterministic). Checkpoints and weights do not depend on the device. Not
// thread-safe, but for Ship().
//
// `accumulate` batches are a group; at its end one update is made by the mean of their gradients. A
// batch whose loss or gradient is not finite is skipped: network, running statistics, what the
// margin learned, and the gradients gathered before it are what they were. Its place in the group
// is used up, and the update is the mean over the others; a group of skipped batches alone makes
// none, and the learning rate waits. So nothing is pending at the end of a group, and a checkpoint
// written there is complete.
class Training {
 public:
  // kInvalidArgument for options out of their range, for a name to freeze that the backbone does
  // not have, and for FP16 without a card; with the errors of OpenCard() where the device is one.
  // Where there is a `group`, its processes train one network: each learns from its part of every
  // batch, all parts of one size, and all results are those of the whole batch, up to rounding.
  // Batch norms are those of the whole batch, and the head is split by classes. Every process calls
  // the functions below, but for Embed() and Weights(), in the same order. There is no teacher
  // then, and steps on a card are not recorded.
  static StatusOr<std::unique_ptr<Training>> Create(const TrainingOptions& options,
                                                    std::shared_ptr<ProcessGroup> group = nullptr);
  // The same on a card that is open; null: on the CPU.
  static StatusOr<std::unique_ptr<Training>> CreateOn(
      const std::shared_ptr<Card>& card, const TrainingOptions& options,
      std::shared_ptr<ProcessGroup> group = nullptr);

  // Begins with weights that were trained before instead of random ones: tensors "backbone.NAME"
  // and "head.NAME" whose names and shapes are the network's. Belongs before the first batch.
  // kInvalidArgument when no tensor of the backbone fits, or values are not finite; the training is
  // then of no use.
  StatusOr<TakenWeights> StartFrom(const TensorMap& weights);

  // Learns from the batch that is next (batches() of the loader's steps). Photos that are
  // Batch::kUnlabelled learn from the teacher alone. `shipped` is what Ship() made of this batch;
  // without it, it is shipped now. kResourceExhausted where a card's memory is too small for the
  // batch, kUnavailable where the card fails.
  StatusOr<StepReport> Learn(const Batch& batch, const TeacherTargets& targets = {},
                             const std::optional<ShippedBatch>& shipped = std::nullopt);
  // True where batches go to a card, which one more thread may do ahead: Ship() is for one thread
  // at a time, beside the one that trains.
  bool has_card() const { return card_ != nullptr; }
  // Begins to copy the batch to the card, beside what is computed there.
  StatusOr<ShippedBatch> Ship(const Batch& batch) const;
  // Channels, height and width of each map that a teacher is compared by.
  StatusOr<std::vector<std::vector<int64_t>>> MapShapes();
  // Raw embeddings of inputs as a Batch has them, by the averaged weights where there are some.
  std::vector<float> Embed(std::span<const float> pixels, int64_t count);

  // Says what the network, by the averaged weights where there are some, makes of photos that it
  // does not learn from; the network stays as it is. Not for several processes.
  StatusOr<ValidationSums> Validate(const Batch& batch);

  int64_t batches() const { return batches_; }
  int64_t updates() const { return descent_->updates(); }

  // True when no update is half gathered: then alone may it be saved.
  bool at_update() const { return batches_ % options_.accumulate == 0; }
  // `facts` are the caller's own numbers, which Resume() gives back. Of several processes, the one
  // of rank 0 writes the file, which does not say how many they are.
  Status Save(const std::string& path, CheckpointFacts facts);
  StatusOr<CheckpointFacts> Resume(const std::string& path);
  // The backbone's weights as a model file has them: averaged, where there is an average.
  StatusOr<TensorMap> Weights();

 private:
  static StatusOr<std::unique_ptr<Training>> Make(const std::shared_ptr<Card>& card,
                                                  const std::shared_ptr<ProcessGroup>& group,
                                                  const TrainingOptions& options);
  Training(const TrainingOptions& options, std::shared_ptr<Card> card,
           std::shared_ptr<ProcessGroup> group, std::shared_ptr<Backbone> backbone,
           std::shared_ptr<ClassHead> head);

  void BeginOnCard();
  torch::Device device() const;
  Status Freeze();
  // Puts all into training mode, but for what is frozen.
  void Train();
  std::vector<TrainedParameter> TrainedParameters() const;
  // Lists what a batch changes before it is known to count: running statistics, and what margins
  // learn. On a card, where it is many small tensors, they share the memory of a few.
  std::vector<torch::Tensor> LearnedBuffers() const;
  std::vector<NamedTensor> State();
  // True where this process has some rows alone of what State() calls `name`.
  bool IsShare(std::string_view name) const;
  // State() with whole tensors, of all processes.
  StatusOr<std::vector<NamedTensor>> WholeState();
  // The tensors of `state` with memory of their own, shares as large as the whole.
  std::vector<NamedTensor> RoomForWhole(const std::vector<NamedTensor>& state) const;
  // Puts whole tensors into `state`.
  void TakeOwn(const std::vector<NamedTensor>& whole, const std::vector<NamedTensor>& state) const;
  // Weights to begin with, of the head the rows of this process.
  TensorMap OwnRows(const TensorMap& weights) const;
  Status CheckTargets(const Batch& batch, const TeacherTargets& targets) const;
  // Begins the random numbers of the batch that is next.
  void SeedStep() const;
  Status LearnNext(const Batch& batch, const TeacherTargets& targets,
                   const std::optional<ShippedBatch>& shipped, StepReport& report);
  // Gathers the gradients of a batch, and returns what Descent::Gather() does.
  StatusOr<double> GatherOnCpu(const Batch& batch, const TeacherTargets& targets,
                               StepReport& report);
  StatusOr<double> GatherOnCard(const Batch& batch, const TeacherTargets& targets,
                                const std::optional<ShippedBatch>& shipped,
                                const std::function<void()>& undo, StepReport& report);
  // Parameters and running statistics of the backbone, by name.
  std::vector<NamedTensor> Averaged() const;
  // Puts the averaged weights into the backbone, or takes them out again.
  void SwapAverage();
  void UpdateAverage();

  const TrainingOptions options_;
  const std::shared_ptr<Card> card_;           // null: on the CPU
  const std::shared_ptr<ProcessGroup> group_;  // null: one process
  const std::shared_ptr<Backbone> backbone_;
  const std::shared_ptr<ClassHead> head_;
  StepLoss loss_;
  std::unique_ptr<Descent> descent_;
  std::unique_ptr<CardStep> card_step_;  // null: on the CPU
  std::vector<torch::Tensor> learned_;   // LearnedBuffers()
  std::vector<std::shared_ptr<torch::nn::Module>> frozen_;
  std::vector<NamedTensor> average_;  // of Averaged(); empty without one
  int64_t batches_ = 0;
};

}  // namespace facegate
