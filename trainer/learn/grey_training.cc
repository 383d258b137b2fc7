#include "trainer/learn/grey_training.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "face/base/sha256.h"
#include "trainer/learn/checkpoint_facts.h"
#include "trainer/learn/initial_weights.h"

namespace facegate {
namespace {

constexpr double kLargestNorm = 5.0;
constexpr int64_t kWarmupEpochs = 1;
// The last layer begins near the average and with no opinion.
constexpr double kOutputShare = 0.1;

constexpr char kEpochs[] = "epochs_done";
constexpr char kUpdates[] = "updates";

// Joins the facts of the options, and `more`.
CheckpointFacts FactsOf(const NetworkTrainingOptions& options, CheckpointFacts more) {
  more.insert({{"seed", std::to_string(options.seed)},
               {"epochs", std::to_string(options.epochs)},
               {"batch", std::to_string(options.batch)},
               {"learning_rate", fmt::format("{}", options.learning_rate)},
               {"weight_decay", fmt::format("{}", options.weight_decay)}});
  return more;
}

}  // namespace

std::string DigestOfSamples(std::string_view samples,
                            std::initializer_list<std::span<const size_t>> learned) {
  Sha256 digest;
  digest.Update(samples);
  for (const std::span<const size_t> numbers : learned) {
    digest.Update(fmt::format("{};", fmt::join(numbers, ",")));
  }
  return digest.HexDigest();
}

GreyTraining::GreyTraining(const NetworkTrainingOptions& options,
                           const network::Description& description, int64_t batches_per_epoch,
                           CheckpointFacts facts)
    : options_(options),
      batches_per_epoch_(batches_per_epoch),
      facts_(std::move(facts)),
      module_(std::make_shared<GreyNetworkModule>(description)) {}

StatusOr<std::unique_ptr<GreyTraining>> GreyTraining::Create(
    const NetworkTrainingOptions& options, const network::Description& description, size_t views,
    CheckpointFacts facts) {
  if (options.epochs < 1 || options.batch < 2 || options.threads < 1 || views < 2) {
    return InvalidArgument(
        fmt::format("there are {} epochs, {} views in a batch, {} threads and {} views, at least "
                    "1, 2, 1 and 2 are needed",
                    options.epochs, options.batch, options.threads, views));
  }
  torch::set_num_threads(options.threads);
  const int64_t batches = std::max<int64_t>(1, static_cast<int64_t>(views) / options.batch);
  FACEGATE_ASSIGN_OR_RETURN(
      LrSchedule schedule,
      LrSchedule::Create({.kind = "cosine",
                          .base = options.learning_rate,
                          .total = batches * options.epochs,
                          .warmup = batches * std::min(kWarmupEpochs, options.epochs - 1)}));
  std::unique_ptr<GreyTraining> training(
      new GreyTraining(options, description, batches, FactsOf(options, std::move(facts))));
  FACEGATE_RETURN_IF_ERROR(training->Begin(std::move(schedule)));
  return training;
}

Status GreyTraining::Begin(LrSchedule schedule) {
  SetInitialWeights(*module_, options_.seed);
  std::vector<TrainedParameter> parameters;
  for (const auto& item : module_->named_parameters()) {
    if (item.key() == "output.weight") {
      const torch::NoGradGuard no_grad;
      torch::Tensor(item.value()).mul_(kOutputShare);
    }
    parameters.push_back({.name = item.key(),
                          .value = item.value(),
                          .weight_decay = IsDecayed(item.value()) ? options_.weight_decay : 0.0});
  }
  FACEGATE_ASSIGN_OR_RETURN(
      auto optimizer, Optimizer::Create({.kind = "adamw", .base_rate = options_.learning_rate},
                                        std::move(parameters)));
  descent_ = std::make_unique<Descent>(std::move(optimizer), std::move(schedule), kLargestNorm);
  return OkStatus();
}

torch::Tensor GreyTraining::Forward(const torch::Tensor& crops) {
  module_->train();
  return module_->forward(crops);
}

Status GreyTraining::Learn(const torch::Tensor& loss) {
  if (!std::isfinite(descent_->Gather(loss))) {
    return Internal("the loss is no longer a number; a smaller learning rate may help");
  }
  descent_->Update();
  return OkStatus();
}

std::vector<NamedTensor> GreyTraining::State() {
  std::vector<NamedTensor> state;
  AddState("", module_->named_parameters(), state);
  AddState("", module_->named_buffers(), state);
  descent_->AddState("", state);
  return state;
}

Status GreyTraining::Save(const std::string& path) {
  CheckpointFacts facts = facts_;
  facts[kEpochs] = std::to_string(epochs_done_);
  facts[kUpdates] = std::to_string(descent_->updates());
  return WriteCheckpoint(path, State(), facts);
}

Status GreyTraining::Resume(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const CheckpointFacts facts, ReadCheckpoint(path, State()));
  FACEGATE_RETURN_IF_ERROR(CheckSameTraining(path, facts, facts_));
  FACEGATE_ASSIGN_OR_RETURN(epochs_done_, CountIn(facts, kEpochs));
  FACEGATE_ASSIGN_OR_RETURN(const int64_t updates, CountIn(facts, kUpdates));
  descent_->Resume(updates, 0.0);
  return OkStatus();
}

}  // namespace facegate
