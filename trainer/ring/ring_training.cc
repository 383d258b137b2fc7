#include "trainer/ring/ring_training.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <utility>

#include "face/base/catch.h"
#include "face/base/random.h"
#include "face/torch/backbone_layers.h"
#include "face/torch/module_tree.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/descent.h"
#include "trainer/learn/initial_weights.h"
#include "trainer/learn/losses.h"
#include "trainer/learn/lr_schedule.h"
#include "trainer/learn/optimizer.h"
#include "trainer/ring/class_order.h"
#include "trainer/ring/ring_network.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr int64_t kClasses = 10;
constexpr int64_t kDigitSide = 28;  // pixels
constexpr uint64_t kOrderStream = 71;
// Mean and deviation of MNIST's pixels, 0..1.
constexpr float kMean = 0.1307F;
constexpr float kDeviation = 0.3081F;
constexpr double kMomentum = 0.9;
constexpr double kClipNorm = 5.0;
// Shares of the training until the learning rate, and until the margin, have their full strength.
constexpr double kRateWarmup = 0.05;
constexpr double kMarginWarmup = 0.3;
constexpr size_t kTestBatch = 100;

Status CheckDigits(const DigitSet& digits) {
  constexpr auto kSide = static_cast<size_t>(kDigitSide);
  if (digits.rows == kSide && digits.columns == kSide && digits.size() > 0) return OkStatus();
  return InvalidArgument(fmt::format("there are {} digits of {} x {} pixels, expected {} x {}",
                                     digits.size(), digits.rows, digits.columns, kSide, kSide));
}

Status CheckOptions(const RingTrainingOptions& options, const DigitSet& train) {
  if (options.epochs < 1 || options.threads < 1) {
    return InvalidArgument("epochs and threads must be 1 or more");
  }
  if (options.batch < 2 || static_cast<uint64_t>(options.batch) > train.size()) {
    return InvalidArgument(
        fmt::format("a batch is {}, must be 2 to the {} digits", options.batch, train.size()));
  }
  if (!(options.scale > 0.0) || !(options.learning_rate > 0.0)) {
    return InvalidArgument("scale and learning rate must be above 0");
  }
  if (!(options.margin >= 0.0 && options.margin <= 1.0)) {
    return InvalidArgument(fmt::format("the margin is {}, must be 0 to 1 radian", options.margin));
  }
  return OkStatus();
}

// The pictures of these places as a network of this input takes them.
Tensor InputOf(const DigitSet& digits, std::span<const uint32_t> places,
               const network::Input& wanted) {
  constexpr auto kPixels = static_cast<size_t>(kDigitSide * kDigitSide);
  const auto count = static_cast<int64_t>(places.size());
  Tensor input = torch::empty({count, 1, kDigitSide, kDigitSide});
  auto* out = input.data_ptr<float>();
  for (const uint32_t place : places) {
    const char* const in = digits.pixels.data() + size_t{place} * kPixels;
    for (size_t i = 0; i < kPixels; ++i) {
      const auto pixel = static_cast<float>(static_cast<unsigned char>(in[i]));
      *out++ = (pixel / 255.0F - kMean) / kDeviation;
    }
  }
  if (wanted.height != kDigitSide || wanted.width != kDigitSide) {
    input = torch::upsample_bilinear2d(input, {wanted.height, wanted.width},
                                       /*align_corners=*/false);
  }
  return input.expand({count, wanted.channels, wanted.height, wanted.width});
}

Tensor LabelsOf(const DigitSet& digits, std::span<const uint32_t> places) {
  Tensor labels = torch::empty({static_cast<int64_t>(places.size())}, torch::kInt64);
  auto* out = labels.data_ptr<int64_t>();
  for (const uint32_t place : places) *out++ = digits.labels[place];
  return labels;
}

std::vector<uint32_t> AllPlaces(size_t count) {
  std::vector<uint32_t> places(count);
  std::iota(places.begin(), places.end(), 0U);
  return places;
}

// Restores the number of OpenMP threads of the calling thread.
class ThreadScope {
 public:
  explicit ThreadScope(int threads) : before_(at::get_num_threads()) {
    at::set_num_threads(threads);
  }
  ~ThreadScope() { at::set_num_threads(before_); }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  const int before_;
};

// Network, head and what changes them.
struct Learner {
  network::Input input;
  std::shared_ptr<Chain> network;
  std::shared_ptr<ClassHead> head;
  std::unique_ptr<Descent> descent;
};

// Puts the centres of the classes evenly on the unit circle, classes that look alike side by side.
// In the plane two centres can hardly pass each other once embeddings have gathered around them:
// from a random start two classes may end in one place, and those that are mistaken for each other
// far apart. For the same reason centres rest while the margin grows: the embeddings of a network
// that has not learnt yet all point one way, and would draw them together.
void PlaceCentres(ClassHead& head, const DigitSet& train) {
  const torch::NoGradGuard no_grad;
  const std::vector<size_t> order = OrderByLikeness(train, kClasses);
  auto* const values = head.named_parameters()["weight"].data_ptr<float>();
  for (size_t place = 0; place < order.size(); ++place) {
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(place) / kClasses;
    values[2 * order[place]] = static_cast<float>(std::cos(angle));
    values[2 * order[place] + 1] = static_cast<float>(std::sin(angle));
  }
}

int64_t StepsOf(const RingTrainingOptions& options, const DigitSet& train) {
  return options.epochs * (static_cast<int64_t>(train.size()) / options.batch);
}

int64_t ShareOf(int64_t steps, double share) {
  return static_cast<int64_t>(share * static_cast<double>(steps));
}

StatusOr<Learner> MakeLearner(const RingTrainingOptions& options, const DigitSet& train) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description,
                            DescribeRingNetwork(options.network));
  Learner learner;
  learner.input = description.input;
  learner.network = std::make_shared<Chain>();
  AppendLayers(description.layers, *learner.network);
  SetInitialWeights(*learner.network, options.seed);
  ClassHeadOptions head{.classes = kClasses,
                        .embedding_size = static_cast<int>(description.outputs),
                        .linear = !options.arcface,
                        .seed = options.seed};
  head.margin.scale = options.scale;
  head.margin.margin = options.margin;
  FACEGATE_ASSIGN_OR_RETURN(learner.head, ClassHead::Create(head));
  if (options.arcface) PlaceCentres(*learner.head, train);
  std::vector<TrainedParameter> parameters;
  const auto add = [&](const std::string& name, const Tensor& value) {
    const double decay = IsDecayed(value) ? options.weight_decay : 0.0;
    parameters.push_back({.name = name, .value = value, .weight_decay = decay});
  };
  for (const auto& item : learner.network->named_parameters()) {
    add("network." + item.key(), item.value());
  }
  // The bias of a linear head is left out and stays 0: with it softmax may leave a class at the
  // origin, where there are no directions to compare.
  add("head.weight", learner.head->named_parameters()["weight"]);
  FACEGATE_ASSIGN_OR_RETURN(
      auto optimizer, Optimizer::Create({.kind = "sgd", .momentum = kMomentum, .nesterov = true},
                                        std::move(parameters)));
  const int64_t steps = StepsOf(options, train);
  FACEGATE_ASSIGN_OR_RETURN(LrSchedule schedule,
                            LrSchedule::Create({.kind = "cosine",
                                                .base = options.learning_rate,
                                                .total = steps,
                                                .warmup = ShareOf(steps, kRateWarmup)}));
  learner.descent = std::make_unique<Descent>(std::move(optimizer), std::move(schedule), kClipNorm);
  return learner;
}

// Leaves the measure empty.
RingResult Apply(const DigitSet& test, Learner& learner) {
  const torch::NoGradGuard no_grad;
  learner.network->eval();
  RingResult result;
  result.embeddings.reserve(test.size());
  const std::vector<uint32_t> all = AllPlaces(test.size());
  int64_t right = 0;
  for (size_t begin = 0; begin < all.size(); begin += kTestBatch) {
    const auto places =
        std::span<const uint32_t>(all).subspan(begin, std::min(all.size() - begin, kTestBatch));
    const Tensor embeddings =
        learner.network->forward(InputOf(test, places, learner.input)).contiguous();
    const Tensor labels = LabelsOf(test, places);
    const HeadOutput output = learner.head->Forward(embeddings, labels, 0, 0.0);
    right += (output.cosines.argmax(1) == labels).sum().item<int64_t>();
    const auto* const values = embeddings.data_ptr<float>();
    for (size_t i = 0; i < places.size(); ++i) {
      result.embeddings.push_back({.x = values[2 * i], .y = values[2 * i + 1]});
    }
  }
  result.accuracy = static_cast<double>(right) / static_cast<double>(test.size());
  learner.network->train();
  return result;
}

Status ShowEpoch(int64_t epoch, const DigitSet& test, Learner& learner, const RingWatch& watch) {
  if (!watch.epoch) return OkStatus();
  RingResult result = Apply(test, learner);
  const bool finite = std::all_of(
      result.embeddings.begin(), result.embeddings.end(),
      [](const RingPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); });
  if (!finite) return OkStatus();
  StatusOr<RingMeasure> measure = MeasureRing(result.embeddings, test.labels, kClasses);
  if (measure.ok()) result.measure = *std::move(measure);
  return watch.epoch(epoch, result);
}

Status Train(const RingTrainingOptions& options, const DigitSet& train, const DigitSet& test,
             Learner& learner, const RingWatch& watch) {
  const auto batch = static_cast<size_t>(options.batch);
  const auto per_epoch = static_cast<int64_t>(train.size() / batch);
  const int64_t total = StepsOf(options, train);
  const auto margin_warmup =
      static_cast<double>(std::max<int64_t>(1, ShareOf(total, kMarginWarmup)));
  std::vector<uint32_t> order = AllPlaces(train.size());
  learner.network->train();
  for (int64_t step = 0; step < total; ++step) {
    const auto place = static_cast<size_t>(step % per_epoch);
    if (place == 0) {
      RandomStream random(options.seed, kOrderStream, step / per_epoch);
      random.Shuffle(std::span(order));
    }
    const auto places = std::span<const uint32_t>(order).subspan(place * batch, batch);
    const double strength = std::min(1.0, static_cast<double>(step) / margin_warmup);
    const HeadOutput output =
        learner.head->Forward(learner.network->forward(InputOf(train, places, learner.input)),
                              LabelsOf(train, places), step, strength);
    const Tensor loss = ClassificationLoss(output.logits, output.labels, {});
    const auto rest_centres = [&] {
      if (!options.arcface || strength >= 1.0) return;
      learner.head->named_parameters()["weight"].mutable_grad().zero_();
    };
    if (!std::isfinite(learner.descent->Gather(loss, rest_centres))) {
      return FailedPrecondition(fmt::format(
          "training diverged in step {} of {}: try a lower learning rate, margin or scale", step,
          total));
    }
    learner.descent->Update();
    if (watch.advance) watch.advance();
    if ((step + 1) % per_epoch == 0) {
      FACEGATE_RETURN_IF_ERROR(ShowEpoch((step + 1) / per_epoch, test, learner, watch));
    }
  }
  return OkStatus();
}

}  // namespace

size_t RingTrainingSteps(const RingTrainingOptions& options, const DigitSet& train) {
  return static_cast<size_t>(StepsOf(options, train));
}

StatusOr<RingResult> TrainRing(const RingTrainingOptions& options, const DigitSet& train,
                               const DigitSet& test, const RingWatch& watch) {
  FACEGATE_RETURN_IF_ERROR(CheckDigits(train));
  FACEGATE_RETURN_IF_ERROR(CheckDigits(test));
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options, train));
  return CatchToStatus("training the ring", [&]() -> StatusOr<RingResult> {
    const ThreadScope threads(options.threads);
    FACEGATE_ASSIGN_OR_RETURN(Learner learner, MakeLearner(options, train));
    FACEGATE_RETURN_IF_ERROR(Train(options, train, test, learner, watch));
    RingResult result = Apply(test, learner);
    FACEGATE_ASSIGN_OR_RETURN(result.measure,
                              MeasureRing(result.embeddings, test.labels, kClasses));
    return result;
  });
}

}  // namespace facegate
