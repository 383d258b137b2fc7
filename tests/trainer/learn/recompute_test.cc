#include "trainer/learn/recompute.h"

#include <c10/core/Allocator.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>
#include <torch/version.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "face/torch/backbone.h"
#include "face/torch/graph_parts.h"
#include "tests/support/status_matchers.h"
#include "tests/trainer/learn/stripes.h"
#include "trainer/learn/autocast.h"
#include "trainer/learn/initial_weights.h"

namespace facegate {
namespace {

using torch::Tensor;

// Counts the bytes of tensors on the CPU while it is made known by a guard.
class CountedMemory : public c10::MemoryReportingInfoBase {
 public:
#if TORCH_VERSION_MAJOR >= 2
  using Bytes = size_t;
#else
  using Bytes = int64_t;
#endif
  void reportMemoryUsage(void* /*ptr*/, int64_t size, Bytes /*allocated*/, Bytes /*reserved*/,
                         c10::Device /*device*/) override {
    now_ += size;
    most_ = std::max(most_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t most() const { return most_; }

 private:
  int64_t now_ = 0;
  int64_t most_ = 0;
};

// What one step in training mode comes to.
struct LearnedStep {
  std::vector<Tensor> all{};  // embeddings, maps, gradients and running statistics
  float next_random = 0.0F;
  int64_t most_bytes = 0;
};

class RecomputeTest : public ::testing::Test {
 protected:
  static std::shared_ptr<Backbone> Make(const char* architecture, double dropout) {
    auto backbone = CreateBackbone(architecture, dropout).value();
    SetInitialWeights(*backbone, 3);
    backbone->train();
    return backbone;
  }
  // One graph of 24 residual blocks, as networks of Keras are.
  static std::shared_ptr<Backbone> MakeGraph() {
    network::Graph graph;
    const auto call = [&](const std::string& name, network::LayerKind kind, size_t input) {
      graph.layers.push_back({name, std::move(kind)});
      graph.calls.push_back({graph.layers.size() - 1, {input}});
      return graph.calls.size();
    };
    const ConvShape stem{.in = 3, .out = 4, .kernel = 8, .stride = 8};
    size_t value = call("stem", network::Convolution{.shape = stem, .bias = false}, 0);
    for (int i = 0; i < 24; ++i) {
      const std::string name = "block" + std::to_string(i);
      const ConvShape shape{.in = 4, .out = 4, .kernel = 3, .padding = 1};
      const size_t made =
          call(name + ".conv", network::Convolution{.shape = shape, .bias = false}, value);
      const size_t norm = call(name + ".bn", network::BatchNorm{.channels = 4}, made);
      graph.calls.push_back({network::Join::kAdd, {value, norm}});
      value = graph.calls.size();
    }
    const network::Description whole{
        .name = "graph",
        .input = {.channels = 3, .height = 112, .width = 112},
        .outputs = 4,
        .layers = {{"graph", std::move(graph)},
                   {"mean", network::GlobalAverage{}},
                   {"flat", network::Flatten{}},
                   {"fc", network::Linear{.in = 4, .out = 4, .bias = false}}},
        .more = {}};
    auto backbone = CreateBackbone(whole).value();
    SetInitialWeights(*backbone, 3);
    backbone->train();
    return backbone;
  }
  // How many layers each segment has; a graph is one.
  static std::vector<size_t> SegmentsOf(Backbone& backbone) {
    std::vector<size_t> sizes;
    backbone.set_segment_run([&](const Tensor& input, const LayerSegment& segment) {
      sizes.push_back(segment.layers.size());
      return segment.Pass(input);
    });
    backbone.forward(torch::ones(backbone.InputShape(2)));
    return sizes;
  }
  // With the maps for a teacher where that is said.
  static LearnedStep Learn(Backbone& backbone, int64_t batch, bool with_maps,
                           Precision precision = Precision::kFp32) {
    const Tensor input =
        torch::arange(3 * 112 * 112 * batch, torch::kFloat).sin_().view(backbone.InputShape(batch));
    torch::manual_seed(5);
    const auto memory = std::make_shared<CountedMemory>();
    LearnedStep step;
    std::vector<Tensor> maps;
    {
      const c10::DebugInfoGuard counts(c10::DebugInfoKind::PROFILER_STATE, memory);
      Tensor loss;
      {
        const AutocastScope scope(torch::kCPU, NarrowType(precision));
        step.all.push_back(with_maps ? backbone.ForwardWithMaps(input, maps)
                                     : backbone.forward(input));
        loss = step.all[0].to(torch::kFloat).sin().sum();
      }
      for (const Tensor& map : maps) loss = loss + map.to(torch::kFloat).square().mean();
      loss.backward();
    }
    step.most_bytes = memory->most();
    step.next_random = torch::rand({1}).item<float>();
    for (Tensor& map : maps) step.all.push_back(map);
    for (const Tensor& one : backbone.parameters()) step.all.push_back(one.grad());
    for (const Tensor& one : backbone.buffers()) step.all.push_back(one);
    return step;
  }
  static void ExpectTheSame(const LearnedStep& kept, const LearnedStep& recomputed) {
    ASSERT_EQ(kept.all.size(), recomputed.all.size());
    for (size_t i = 0; i < kept.all.size(); ++i) {
      ASSERT_EQ(kept.all[i].defined(), recomputed.all[i].defined()) << i;
      EXPECT_TRUE(!kept.all[i].defined() || kept.all[i].equal(recomputed.all[i])) << i;
    }
    EXPECT_EQ(kept.next_random, recomputed.next_random);
  }
};

TEST_F(RecomputeTest, GivesTheSameToTheBit) {
  const auto keeps = Make("iresnet-18", 0.4);
  const auto recomputes = Make("iresnet-18", 0.4);
  recomputes->set_segment_run(RecomputeSegments(std::nullopt));
  ExpectTheSame(Learn(*keeps, 2, false), Learn(*recomputes, 2, false));
}

TEST_F(RecomputeTest, AGraphOfAChainIsASegmentOfItsOwn) {
  const auto backbone = Make("vit-t", 0.0);
  // Before and behind the 12 blocks are other layers.
  const std::vector<size_t> sizes = SegmentsOf(*backbone);
  ASSERT_GE(sizes.size(), 14U);
  EXPECT_GE(std::count(sizes.begin(), sizes.end(), 1U), 12);
}

TEST_F(RecomputeTest, GivesTheSameOfATransformer) {
  const auto keeps = Make("vit-t", 0.1);
  const auto recomputes = Make("vit-t", 0.1);
  recomputes->set_segment_run(RecomputeSegments(std::nullopt));
  const LearnedStep kept = Learn(*keeps, 2, false);
  const LearnedStep recomputed = Learn(*recomputes, 2, false);
  ExpectTheSame(kept, recomputed);
}

TEST_F(RecomputeTest, ALargeGraphIsRunInParts) {
  const auto keeps = MakeGraph();
  const auto recomputes = MakeGraph();
  // 73 calls, of which three make a block: two blocks each, and the first ones with the stem.
  EXPECT_EQ(SegmentsOf(*MakeGraph()).size(), 13U);
  recomputes->set_segment_run(RecomputeSegments(std::nullopt));
  const LearnedStep kept = Learn(*keeps, 2, false);
  const LearnedStep recomputed = Learn(*recomputes, 2, false);
  ExpectTheSame(kept, recomputed);
  EXPECT_LT(4 * recomputed.most_bytes, 3 * kept.most_bytes);
}

TEST_F(RecomputeTest, PartsOfAGraphEndWhereASingleValueIsAlive) {
  using network::Join;
  const std::vector<network::Call> calls = {
      {size_t{0}, {0}}, {size_t{1}, {1}}, {Join::kAdd, {1, 2}}, {size_t{2}, {3}}, {size_t{3}, {4}}};
  EXPECT_EQ(EndsOfParts(calls, 1), (std::vector<size_t>{1, 3, 4, 5}));
  EXPECT_EQ(EndsOfParts(calls, 3), (std::vector<size_t>{3, 5}));
  EXPECT_EQ(EndsOfParts(calls, 5), (std::vector<size_t>{5}));
}

TEST_F(RecomputeTest, TakesLessThanHalfOfTheMemory) {
  const auto keeps = Make("mobilefacenet-128", 0.0);
  const auto recomputes = Make("mobilefacenet-128", 0.0);
  recomputes->set_segment_run(RecomputeSegments(std::nullopt));
  const LearnedStep kept = Learn(*keeps, 4, true);
  const LearnedStep recomputed = Learn(*recomputes, 4, true);
  ExpectTheSame(kept, recomputed);
  EXPECT_LT(2 * recomputed.most_bytes, kept.most_bytes);
}

TEST_F(RecomputeTest, GivesTheSameInBf16) {
  const auto keeps = Make("mobilefacenet-128", 0.0);
  const auto recomputes = Make("mobilefacenet-128", 0.0);
  recomputes->set_segment_run(RecomputeSegments(torch::kBFloat16));
  ExpectTheSame(Learn(*keeps, 2, false, Precision::kBf16),
                Learn(*recomputes, 2, false, Precision::kBf16));
}

TEST_F(RecomputeTest, GivesNoGradientsToWhatIsFrozen) {
  std::vector<LearnedStep> steps;
  for (const bool recompute : {false, true}) {
    const auto backbone = Make("mobilefacenet-128", 0.0);
    if (recompute) backbone->set_segment_run(RecomputeSegments(std::nullopt));
    std::vector<Tensor> parameters = backbone->parameters();
    for (size_t i = 0; i < parameters.size() / 2; ++i) parameters[i].requires_grad_(false);
    steps.push_back(Learn(*backbone, 2, false));
  }
  ExpectTheSame(steps[0], steps[1]);
}

TEST_F(RecomputeTest, ATrainingOfItLearnsTheSame) {
  TrainingOptions options = StripesOptions();
  options.fused = false;
  options.accumulate = 2;
  std::vector<TensorMap> weights;
  for (const bool recompute : {false, true}) {
    options.recompute = recompute;
    const auto training = BeginTraining(options);
    for (size_t step = 0; step < 2; ++step) LearnAt(*training, step);
    weights.push_back(training->Weights().value());
  }
  EXPECT_TRUE(weights[0] == weights[1]);
}

}  // namespace
}  // namespace facegate
