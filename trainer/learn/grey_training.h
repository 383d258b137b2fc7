#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/network_weights.h"
#include "trainer/learn/checkpoint.h"
#include "trainer/learn/descent.h"
#include "trainer/learn/grey_network_module.h"
#include "trainer/learn/lr_schedule.h"
#include "trainer/learn/network_training.h"

namespace facegate {

// A checkpoint calls DigestOfSamples() by this.
inline constexpr char kSamplesFact[] = "digest of the samples";
// Takes the digest of samples, as the bytes of a file, and of which of them are learned from.
std::string DigestOfSamples(std::string_view samples,
                            std::initializer_list<std::span<const size_t>> learned);

// Is what the trainings of all networks of face/network/grey_networks.h have in common: first
// weights, optimiser, schedule and checkpoints. Not thread-safe.
class GreyTraining {
 public:
  // An epoch has `views`. `facts` are what a checkpoint must agree with beside the options.
  // kInvalidArgument for options out of their range.
  static StatusOr<std::unique_ptr<GreyTraining>> Create(const NetworkTrainingOptions& options,
                                                        const network::Description& description,
                                                        size_t views, CheckpointFacts facts);

  const NetworkTrainingOptions& options() const { return options_; }
  int64_t batches_per_epoch() const { return batches_per_epoch_; }
  int64_t epochs_done() const { return epochs_done_; }
  void FinishEpoch() { ++epochs_done_; }

  // The outputs for a batch that Learn() comes after.
  torch::Tensor Forward(const torch::Tensor& crops);
  // Makes one update by the gradients of `loss`. kInternal, and no update, where it or a gradient
  // is no number.
  Status Learn(const torch::Tensor& loss);

  // The weights as they learn: not rounded.
  NetworkWeights Weights() { return module_->Folded(); }
  Status Save(const std::string& path);
  Status Resume(const std::string& path);

 private:
  GreyTraining(const NetworkTrainingOptions& options, const network::Description& description,
               int64_t batches_per_epoch, CheckpointFacts facts);

  // Sets the weights to what learning begins with.
  Status Begin(LrSchedule schedule);
  std::vector<NamedTensor> State();

  const NetworkTrainingOptions options_;
  const int64_t batches_per_epoch_;
  const CheckpointFacts facts_;
  const std::shared_ptr<GreyNetworkModule> module_;
  std::unique_ptr<Descent> descent_;
  int64_t epochs_done_ = 0;
};

}  // namespace facegate
