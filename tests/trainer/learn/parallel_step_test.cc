#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/trainer/parallel/group_of_threads.h"
#include "trainer/learn/descent.h"
#include "trainer/learn/initial_weights.h"
#include "trainer/learn/shared_norms.h"
#include "trainer/learn/step_loss.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr int64_t kPhotos = 8;
constexpr int64_t kClasses = 7;
constexpr int64_t kSteps = 20;

// Convolutions, a residual, batch norms of maps and of a list.
network::Description SmallNetwork() {
  const auto convolution = [](int64_t in, int64_t out) {
    return network::Convolution{{.in = in, .out = out, .kernel = 3, .stride = 1, .padding = 1}};
  };
  return {.name = "small",
          .input = {.channels = 3, .height = 12, .width = 12},
          .outputs = 8,
          .layers = {{"first", convolution(3, 6)},
                     {"norm", network::BatchNorm{6}},
                     {"prelu", network::PRelu{6}},
                     {"block",
                      network::Residual{
                          {{"conv", convolution(6, 6)}, {"norm", network::BatchNorm{6}}}, {}}},
                     {"list", network::Flatten{}},
                     {"linear", network::Linear{.in = 6 * 12 * 12, .out = 8, .bias = true}},
                     {"last", network::BatchNorm{8}}},
          .more = {}};
}

Tensor PhotosAt(int64_t step) {
  const int64_t numbers = kPhotos * 3 * 12 * 12;
  return torch::sin((torch::arange(numbers, torch::kDouble) + 1.0) *
                    (1.3 + 0.1 * static_cast<double>(step)))
      .view({kPhotos, 3, 12, 12});
}

Tensor LabelsAt(int64_t step) {
  return (torch::arange(kPhotos, torch::kInt64) * (step + 3)).remainder(kClasses);
}

enum class Norms { kFrozen, kLearning };

// The parts of a training in double, so that rounding does not hide a difference.
class Steps {
 public:
  Steps(Norms norms, const std::shared_ptr<ProcessGroup>& group)
      : group_(group), backbone_(CreateBackbone(SmallNetwork()).value()) {
    TrainingOptions options;
    options.head = {.classes = kClasses,
                    .embedding_size = 8,
                    .margin = {.kind = "adaface", .scale = 16.0, .margin = 0.4}};
    head_ = ClassHead::Create(options.head, group).value();
    SetInitialWeights(*backbone_, 3);
    backbone_->to(torch::kDouble);
    head_->to(torch::kDouble);
    backbone_->train();
    if (norms == Norms::kFrozen) FreezeNorms();
    if (group != nullptr) ShareNorms(*backbone_, *group);
    loss_ = std::make_unique<StepLoss>(options, backbone_, head_, group);
    descent_ = std::make_unique<Descent>(
        Optimizer::Create({}, Parameters()).value(),
        LrSchedule::Create({.kind = "constant", .base = 0.05, .total = kSteps}).value(), 5.0);
    descent_->ShareWith(group);
  }

  // The loss.
  double Learn(int64_t step) {
    StagedBatch batch{.input = Part(PhotosAt(step)), .labels = Part(LabelsAt(step))};
    const StepNumbers numbers = loss_->Of(batch, step).value();
    EXPECT_TRUE(std::isfinite(descent_->Gather(numbers.loss)));
    EXPECT_TRUE(descent_->Update());
    return numbers.loss.item<double>();
  }

  // Everything that was learned, the head of all processes.
  std::vector<Tensor> Learned() {
    std::vector<Tensor> all;
    for (const Tensor& one : backbone_->parameters()) all.push_back(one.detach());
    for (const Tensor& one : backbone_->buffers()) all.push_back(one.to(torch::kDouble));
    for (const Tensor& one : head_->parameters()) {
      all.push_back(group_ == nullptr ? one.detach() : GatherRows(one.detach(), *group_).value());
    }
    for (const auto& buffer : head_->rule_buffers()) all.push_back(buffer.value);
    return all;
  }

 private:
  void FreezeNorms() {
    for (const auto& module : backbone_->modules()) {
      if (dynamic_cast<BatchNorm*>(module.get()) == nullptr) continue;
      module->eval();
      for (Tensor& one : module->parameters()) one.requires_grad_(false);
    }
  }
  std::vector<TrainedParameter> Parameters() const {
    std::vector<TrainedParameter> all;
    for (const auto& item : backbone_->named_parameters()) {
      if (!item.value().requires_grad()) continue;
      all.push_back({.name = item.key(), .value = item.value(), .weight_decay = 1e-3});
    }
    for (const auto& item : head_->named_parameters()) {
      all.push_back({.name = item.key(),
                     .value = item.value(),
                     .weight_decay = 1e-3,
                     .is_share = group_ != nullptr});
    }
    return all;
  }
  Tensor Part(const Tensor& whole) const {
    if (group_ == nullptr) return whole;
    const int64_t own = whole.size(0) / group_->size();
    return whole.narrow(0, group_->rank() * own, own);
  }

  const std::shared_ptr<ProcessGroup> group_;
  const std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<ClassHead> head_;
  std::unique_ptr<StepLoss> loss_;
  std::unique_ptr<Descent> descent_;
};

class ParallelStepTest : public WithGloo {
 protected:
  static void ExpectTheSame(Norms norms, int processes) {
    Steps whole(norms, nullptr);
    const std::vector<Tensor> begun = whole.Learned();
    const Tensor first = begun.front().clone();
    std::vector<double> losses;
    for (int64_t step = 0; step < kSteps; ++step) losses.push_back(whole.Learn(step));
    const std::vector<Tensor> expected = whole.Learned();
    EXPECT_GT((expected.front() - first).abs().max().item<double>(), 0.01) << "nothing was learned";
    InGroup(processes, [&](const auto& group) {
      Steps part(norms, group);
      for (int64_t step = 0; step < kSteps; ++step) {
        EXPECT_NEAR(part.Learn(step), losses[static_cast<size_t>(step)], 1e-9) << step;
      }
      const std::vector<Tensor> learned = part.Learned();
      ASSERT_EQ(learned.size(), expected.size());
      for (size_t i = 0; i < learned.size(); ++i) {
        EXPECT_LT((learned[i] - expected[i]).abs().max().template item<double>(), 1e-9) << i;
      }
    });
  }
};

TEST_F(ParallelStepTest, HalvesOfABatchAreTheWholeWithFrozenNorms) {
  ExpectTheSame(Norms::kFrozen, 2);
}

TEST_F(ParallelStepTest, HalvesOfABatchAreTheWholeWithNormsThatLearn) {
  ExpectTheSame(Norms::kLearning, 2);
}

TEST_F(ParallelStepTest, QuartersOfABatchAreTheWhole) { ExpectTheSame(Norms::kLearning, 4); }

}  // namespace
}  // namespace facegate
