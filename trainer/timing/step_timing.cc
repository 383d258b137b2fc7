#include "trainer/timing/step_timing.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/random.h"
#include "face/network/architecture.h"
#include "trainer/fused/backbone_fusion.h"
#include "trainer/learn/initial_weights.h"
#include "trainer/learn/losses.h"
#include "trainer/learn/training.h"

namespace facegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLearningRate = 0.01;
constexpr size_t kLeastSteps = 3;

Batch RandomBatch(const StepTimingOptions& options, const network::Input& input) {
  const auto& [channels, height, width] = input;
  const int64_t picture_size = channels * height * width;
  RandomStream random(7, 0);
  Batch batch;
  batch.pixels.resize(static_cast<size_t>(options.batch * picture_size));
  for (float& value : batch.pixels) value = static_cast<float>(random.Uniform(-1.0, 1.0));
  batch.labels.reserve(static_cast<size_t>(options.batch));
  batch.photos.reserve(static_cast<size_t>(options.batch));
  for (int64_t i = 0; i < options.batch; ++i) {
    batch.labels.push_back(
        static_cast<int64_t>(random.Below(static_cast<uint64_t>(options.classes))));
    batch.photos.push_back(static_cast<size_t>(i));
  }
  return batch;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Calls `step` once untimed, then until the time is over.
template <typename Step>
Status Repeat(double seconds, const Step& step) {
  FACEGATE_RETURN_IF_ERROR(step(false));
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
  for (size_t i = 0; i < kLeastSteps || Clock::now() < end; ++i) {
    FACEGATE_RETURN_IF_ERROR(step(true));
  }
  return OkStatus();
}

// Milliseconds from one call to the next.
class Lap {
 public:
  double Take() {
    const Clock::time_point now = Clock::now();
    const double passed = std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return passed;
  }

 private:
  Clock::time_point last_ = Clock::now();
};

class TrainingTimer final : public StepTimer {
 public:
  TrainingTimer(const StepTimingOptions& options, TrainingOptions training_options,
                const network::Input& input)
      : options_(options),
        training_options_(std::move(training_options)),
        batch_(RandomBatch(options, input)) {}

  // Makes the networks; those for whole steps and for parts are two.
  Status Prepare() {
    at::set_num_threads(options_.threads);
    FACEGATE_ASSIGN_OR_RETURN(training_, Training::Create(training_options_));
    FACEGATE_ASSIGN_OR_RETURN(backbone_, CreateBackbone(options_.architecture));
    FACEGATE_ASSIGN_OR_RETURN(head_, ClassHead::Create(training_options_.head));
    return CatchToStatus("preparing", [&]() -> Status {
      SetInitialWeights(*backbone_, 1);
      backbone_->set_fusion(options_.fused ? BeginStages : nullptr);
      backbone_->train();
      std::vector<TrainedParameter> trained;
      for (const auto& module : std::vector<std::shared_ptr<torch::nn::Module>>{backbone_, head_}) {
        for (const auto& item : module->named_parameters()) {
          if (!item.value().requires_grad()) continue;
          parameters_ += item.value().numel();
          trained.push_back({.name = fmt::format("{}", trained.size()),
                             .value = item.value(),
                             .weight_decay = 5e-4});
        }
      }
      FACEGATE_ASSIGN_OR_RETURN(optimizer_,
                                Optimizer::Create(training_options_.optimizer, std::move(trained)));
      return OkStatus();
    });
  }

  StatusOr<StepTimes> MeasureSteps(double seconds) override {
    std::vector<double> times;
    std::vector<double> waits;
    const Status status = Repeat(seconds, [&](bool timed) {
      Lap lap;
      Lap wait;
      FACEGATE_ASSIGN_OR_RETURN(const std::optional<ShippedBatch> shipped, NextShipped());
      const double waited = wait.Take();
      const Status learnt = training_->Learn(batch_, {}, shipped).status();
      if (timed) times.push_back(lap.Take());
      if (timed) waits.push_back(waited);
      return learnt;
    });
    FACEGATE_RETURN_IF_ERROR(status);
    const auto sum = [](const std::vector<double>& all) {
      return std::accumulate(all.begin(), all.end(), 0.0);
    };
    return StepTimes{.step = Median(times),
                     .steps = static_cast<int64_t>(times.size()),
                     .waited = training_->has_card() ? sum(waits) / sum(times) : 0.0};
  }

  StatusOr<StepPartTimes> MeasureParts(double seconds) override {
    std::vector<std::vector<double>> times(4);
    const Status status = CatchToStatus("training", [&] {
      return Repeat(seconds, [&](bool timed) {
        const std::vector<double> laps = TimeParts();
        for (size_t i = 0; timed && i < laps.size(); ++i) times[i].push_back(laps[i]);
        return OkStatus();
      });
    });
    FACEGATE_RETURN_IF_ERROR(status);
    return StepPartTimes{.forward = Median(times[0]),
                         .loss = Median(times[1]),
                         .backward = Median(times[2]),
                         .update = Median(times[3]),
                         .steps = static_cast<int64_t>(times[0].size())};
  }

  int64_t parameters() const override { return parameters_; }

 private:
  // The batch on its way to the card, as a run ships it; nothing on the CPU.
  StatusOr<std::optional<ShippedBatch>> NextShipped() {
    if (!training_->has_card()) return std::optional<ShippedBatch>();
    const auto ship = [this] { return training_->Ship(batch_); };
    StatusOr<ShippedBatch> shipped = coming_.valid() ? coming_.get() : ship();
    FACEGATE_RETURN_IF_ERROR(shipped.status());
    coming_ = std::async(std::launch::async, ship);
    return std::optional(*std::move(shipped));
  }

  std::vector<double> TimeParts() {
    const torch::Tensor labels =
        torch::from_blob(batch_.labels.data(), {options_.batch}, torch::kInt64);
    const torch::Tensor pictures =
        torch::from_blob(batch_.pixels.data(), backbone_->InputShape(options_.batch));
    std::vector<double> laps;
    laps.reserve(4);
    Lap lap;
    const torch::Tensor embeddings =
        backbone_->forward(pictures.contiguous(at::MemoryFormat::ChannelsLast));
    laps.push_back(lap.Take());
    const HeadOutput output = head_->Forward(embeddings, labels, 0, 1.0);
    const torch::Tensor loss = ClassificationLoss(output.logits, output.labels, {});
    laps.push_back(lap.Take());
    loss.backward();
    laps.push_back(lap.Take());
    optimizer_->GradientNorm();
    optimizer_->Step(kLearningRate);
    optimizer_->ZeroGrad();
    laps.push_back(lap.Take());
    return laps;
  }

  const StepTimingOptions options_;
  const TrainingOptions training_options_;
  Batch batch_;
  std::unique_ptr<Training> training_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<ClassHead> head_;
  std::unique_ptr<Optimizer> optimizer_;
  int64_t parameters_ = 0;
  std::future<StatusOr<ShippedBatch>> coming_;  // ends before what it uses
};

}  // namespace

StatusOr<std::unique_ptr<StepTimer>> StepTimer::Create(const StepTimingOptions& options) {
  if (options.batch < 1) return InvalidArgument("a batch has at least 1 picture");
  if (options.threads < 1) return InvalidArgument("there must be at least 1 thread");
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network,
                            DescribeArchitecture(options.architecture));
  TrainingOptions training;
  training.architecture = options.architecture;
  training.head.classes = options.classes;
  training.head.embedding_size = network.outputs;
  training.fused = options.fused;
  training.device = options.device;
  training.precision = options.precision;
  training.cuda_graph = options.cuda_graph;
  training.schedule = {.kind = "constant", .base = kLearningRate, .total = 1};
  auto timer = std::make_unique<TrainingTimer>(options, std::move(training), network.input);
  FACEGATE_RETURN_IF_ERROR(timer->Prepare());
  return timer;
}

}  // namespace facegate
