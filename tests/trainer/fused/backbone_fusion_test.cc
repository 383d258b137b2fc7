// Fused layers against LibTorch's own operators: both are compared with the same computation in
// double precision, and the fused ones must not be further from it.
#include "trainer/fused/backbone_fusion.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "face/network/random_weights.h"
#include "face/torch/backbone.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/status_matchers.h"
#include "trainer/learn/autocast.h"

namespace facegate {
namespace {

using torch::Tensor;

// Values as in a network that learns; the same for equal layers.
void Fill(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(11);
  for (const auto& item : module.named_parameters()) {
    Tensor value = item.value();
    const Tensor random = torch::randn(value.sizes());
    if (value.dim() > 1) {
      value.copy_(random / std::sqrt(static_cast<double>(value.numel() / value.size(0))));
    } else {
      value.copy_(0.4 + 0.2 * random);  // slopes and scales below 0 among them
    }
  }
  for (const auto& item : module.named_buffers()) item.value().fill_(0.5);
}

struct Outcome {
  Tensor output;
  Tensor input_gradient;
  std::vector<Tensor> gradients;  // of the parameters
  std::vector<Tensor> buffers;    // running statistics
};

// One step in training mode.
Outcome Learn(Layer& layers, const Tensor& input, bool wants_input_gradient) {
  const Tensor leaf = input.detach().clone().requires_grad_(wants_input_gradient);
  Outcome outcome;
  outcome.output = layers.forward(leaf);
  torch::manual_seed(5);
  const Tensor weight = torch::randn(outcome.output.sizes()).to(outcome.output.scalar_type());
  (outcome.output * weight).sum().backward();
  outcome.input_gradient = wants_input_gradient ? leaf.grad() : Tensor();
  for (const Tensor& parameter : layers.parameters()) outcome.gradients.push_back(parameter.grad());
  for (const Tensor& buffer : layers.buffers()) outcome.buffers.push_back(buffer.clone());
  return outcome;
}

double Apart(const Tensor& a, const Tensor& b, double scale) {
  return (a.to(torch::kDouble) - b.to(torch::kDouble)).norm().item<double>() / scale;
}

// Anything may be so far apart from the exact result, relative to its length. A PReLU's gradient
// jumps where rounding changes a sign: one such pixel among many is as right as the other.
constexpr double kRounding = 2e-6;
constexpr double kOneSign = 2e-3;
constexpr double kSomeSigns = 5e-3;

struct Bounds {
  double least_scale = 0.0;  // what differences are relative to, at least
  double allowed = kRounding;
};

void ExpectAsExact(const Tensor& fused, const Tensor& stock, const Tensor& exact,
                   const Bounds& bounds, const std::string& what) {
  ASSERT_EQ(fused.sizes(), exact.sizes()) << what;
  const double scale = std::max(exact.to(torch::kDouble).norm().item<double>(), bounds.least_scale);
  EXPECT_LE(Apart(fused, exact, scale), std::max(3.0 * Apart(stock, exact, scale), bounds.allowed))
      << what;
}

// `make` makes equal layers each time; `allowed` bounds the gradients.
template <typename Make>
void ExpectSameAsStock(const Make& make, const Tensor& input, bool wants_input_gradient,
                       double allowed) {
  const auto learn = [&](bool fused, torch::Dtype type) {
    const auto layers = make();
    Fill(*layers);
    layers->to(type);
    layers->train();
    layers->set_fusion(fused ? BeginStages : nullptr);
    return Learn(*layers, input.to(type), wants_input_gradient);
  };
  const Outcome fused = learn(true, torch::kFloat);
  const Outcome stock = learn(false, torch::kFloat);
  const Outcome exact = learn(false, torch::kDouble);
  ExpectAsExact(fused.output, stock.output, exact.output, {}, "output");
  if (wants_input_gradient) {
    ExpectAsExact(fused.input_gradient, stock.input_gradient, exact.input_gradient,
                  {.allowed = allowed}, "input");
  }
  double largest = 0.0;
  for (const Tensor& one : exact.gradients) largest = std::max(largest, one.norm().item<double>());
  for (size_t i = 0; i < exact.gradients.size(); ++i) {
    // Some gradients are 0 but for rounding.
    ExpectAsExact(fused.gradients[i], stock.gradients[i], exact.gradients[i],
                  {.least_scale = 1e-3 * largest, .allowed = allowed},
                  "gradient " + std::to_string(i));
  }
  for (size_t i = 0; i < exact.buffers.size(); ++i) {
    ExpectAsExact(fused.buffers[i], stock.buffers[i], exact.buffers[i], {.allowed = 1e-5},
                  "buffer " + std::to_string(i));
  }
}

Tensor Pictures(int64_t count, int64_t channels, int64_t side) {
  torch::manual_seed(3);
  return torch::randn({count, channels, side, side}).contiguous(at::MemoryFormat::ChannelsLast);
}

void AppendBlock(Chain& chain, const ConvShape& shape, bool activated) {
  chain.Append(std::make_shared<Conv2d>(shape));
  chain.Append(std::make_shared<BatchNorm>(shape.out));
  if (activated) chain.Append(std::make_shared<PRelu>(shape.out));
}

struct Case {
  const char* name;
  ConvShape shape;
  bool activated = true;
  int64_t batch = 3;
  int64_t side = 14;
};

class FusedConvolutionTest : public ::testing::TestWithParam<Case> {};

TEST_P(FusedConvolutionTest, IsAsExactAsLibTorch) {
  const Case& one = GetParam();
  const auto make = [&] {
    auto chain = std::make_shared<Chain>();
    AppendBlock(*chain, one.shape, one.activated);
    StageBuilder builder;
    EXPECT_TRUE(chain->AppendTo(builder) && builder.complete());
    return chain;
  };
  ExpectSameAsStock(make, Pictures(one.batch, one.shape.in, one.side), one.shape.in > 3,
                    one.activated ? kOneSign : kRounding);
}

ConvShape Depthwise(int64_t channels, int64_t stride) {
  return {.in = channels,
          .out = channels,
          .kernel = 3,
          .stride = stride,
          .padding = 1,
          .groups = channels};
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, FusedConvolutionTest,
    ::testing::Values(
        Case{"Picture", {.in = 3, .out = 64, .kernel = 3, .stride = 2, .padding = 1}, true, 3, 112},
        Case{"PictureOfOddSide", {.in = 3, .out = 32, .kernel = 3, .padding = 1}, true, 1, 27},
        Case{"PointwiseOf56", {.in = 64, .out = 128}, true, 1, 56},
        Case{"PointwiseOf28", {.in = 128, .out = 64}, false, 3, 28},
        Case{"PointwiseOf14", {.in = 128, .out = 256}, true, 3, 14},
        Case{"PointwiseOf7", {.in = 128, .out = 512}, true, 64, 7},
        Case{"PointwiseOf1", {.in = 512, .out = 128}, false, 64, 1},
        Case{"PointwiseOfOddWidths", {.in = 48, .out = 80}, true, 17, 5},
        Case{"DepthwiseOf56", Depthwise(64, 1), true, 3, 56},
        Case{"DepthwiseOf28", Depthwise(128, 1), true, 1, 28},
        Case{"DepthwiseOf7", Depthwise(256, 1), true, 64, 7},
        Case{"DepthwiseHalves56", Depthwise(128, 2), true, 1, 56},
        Case{"DepthwiseHalves14", Depthwise(512, 2), true, 3, 14},
        Case{"DepthwiseHalves15", Depthwise(48, 2), true, 18, 15},
        Case{"DepthwiseOfOnePixel", Depthwise(16, 1), true, 33, 1},
        Case{"DepthwiseWithoutActivation", Depthwise(32, 1), false, 3, 9},
        Case{"GlobalDepthwise", {.in = 512, .out = 512, .kernel = 7, .groups = 512}, false, 64, 7},
        Case{"DepthwiseOf5",
             {.in = 32, .out = 32, .kernel = 5, .stride = 3, .padding = 2, .groups = 32},
             true,
             3,
             20}),
    [](const auto& tested) { return std::string(tested.param.name); });

// A block, inverted residuals that begin at its output, and a narrowing.
std::shared_ptr<Chain> MakeUnits() {
  auto chain = std::make_shared<Chain>();
  AppendBlock(*chain, {.in = 32, .out = 48}, false);
  for (int i = 0; i < 2; ++i) {
    auto unit = std::make_shared<Residual>();
    AppendBlock(*unit, {.in = 48, .out = 96}, true);
    AppendBlock(*unit, Depthwise(96, 1), true);
    AppendBlock(*unit, {.in = 96, .out = 48}, false);
    chain->Append(unit);
  }
  AppendBlock(*chain, Depthwise(48, 2), true);
  return chain;
}

TEST(FusedRunTest, AddsResiduals) {
  ExpectSameAsStock(MakeUnits, Pictures(5, 32, 13), true, kOneSign);
}

TEST(FusedRunTest, AddsItsOwnInput) {
  const auto make = [] {
    auto chain = std::make_shared<Chain>();
    auto unit = std::make_shared<Residual>();
    AppendBlock(*unit, {.in = 32, .out = 64}, true);
    AppendBlock(*unit, {.in = 64, .out = 32}, false);
    chain->Append(unit);
    return chain;
  };
  ExpectSameAsStock(make, Pictures(4, 32, 9), true, kOneSign);
}

class FusedNetworkTest : public ::testing::TestWithParam<const char*> {};

TEST_P(FusedNetworkTest, LearnsAsWithLibTorch) {
  ExpectSameAsStock([] { return *CreateBackbone(GetParam()); }, Pictures(4, 3, 112), false,
                    kSomeSigns);
}

INSTANTIATE_TEST_SUITE_P(Networks, FusedNetworkTest,
                         ::testing::Values("mobilefacenet-128", "mobilefacenet-512"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

bool SameBits(const Outcome& a, const Outcome& b) {
  const auto same = [](const Tensor& x, const Tensor& y) { return torch::equal(x, y); };
  return same(a.output, b.output) && same(a.input_gradient, b.input_gradient) &&
         std::equal(a.gradients.begin(), a.gradients.end(), b.gradients.begin(), same) &&
         std::equal(a.buffers.begin(), a.buffers.end(), b.buffers.begin(), same);
}

TEST(FusedRunTest, GivesTheSameBitsWhateverTheThreads) {
  const int threads_before = at::get_num_threads();
  const auto learn = [](int threads) {
    at::set_num_threads(threads);
    const auto units = MakeUnits();
    units->set_fusion(BeginStages);
    units->set_fusion(BeginStages);
    Fill(*units);
    units->train();
    return Learn(*units, Pictures(19, 32, 12), true);
  };
  const Outcome first = learn(2);
  EXPECT_TRUE(SameBits(first, learn(2)));
  EXPECT_TRUE(SameBits(first, learn(1)));
  EXPECT_TRUE(SameBits(first, learn(5)));
  at::set_num_threads(threads_before);
}

TEST(FusedRunTest, KeepsApartTwoPassesAtOnce) {
  const auto units = MakeUnits();
  units->set_fusion(BeginStages);
  Fill(*units);
  units->train();
  const Tensor a = Pictures(3, 32, 8).requires_grad_();
  const Tensor b = (2.0 * Pictures(3, 32, 8) + 1.0).detach().requires_grad_();
  const auto alone = [&](const Tensor& input) {
    return torch::autograd::grad({units->forward(input).square().sum()}, {input})[0];
  };
  const Tensor expected_a = alone(a);
  const Tensor expected_b = alone(b);
  const Tensor first = units->forward(a).square().sum();
  const Tensor second = units->forward(b).square().sum();
  EXPECT_TRUE(torch::equal(torch::autograd::grad({first}, {a}, {}, true)[0], expected_a));
  EXPECT_TRUE(torch::equal(torch::autograd::grad({second}, {b})[0], expected_b));
  EXPECT_TRUE(torch::equal(torch::autograd::grad({first}, {a})[0], expected_a));
}

TEST(FusedRunTest, RefusesToGoBackAfterAChangeOfWeights) {
  const auto units = MakeUnits();
  units->set_fusion(BeginStages);
  Fill(*units);
  units->train();
  const Tensor loss = units->forward(Pictures(2, 32, 8)).sum();
  {
    const torch::NoGradGuard no_grad;
    units->parameters()[0].add_(1.0);
  }
  EXPECT_THROW(loss.backward(), c10::Error);
}

// The layers' own operators compute where stages do not apply.
TEST(FusedRunTest, LeavesOtherInputsToLibTorch) {
  const auto units = MakeUnits();
  units->set_fusion(BeginStages);
  Fill(*units);
  units->train();
  StageBuilder builder;
  ASSERT_TRUE(units->AppendTo(builder));
  const std::unique_ptr<LayerRun> run = builder.MakeRun();
  const Tensor input = Pictures(2, 32, 8);
  EXPECT_TRUE(run->Accepts(input));
  EXPECT_TRUE(run->Accepts(input.contiguous()));
  EXPECT_FALSE(run->Accepts(input.to(torch::kDouble)));
  EXPECT_FALSE(run->Accepts(input.to(torch::kBFloat16)));
  EXPECT_FALSE(run->Accepts(Pictures(2, 48, 8)));
  EXPECT_FALSE(run->Accepts(torch::randn({2, 32})));
  {
    const AutocastScope scope(torch::kCPU, torch::kBFloat16);
    EXPECT_FALSE(run->Accepts(input));
    EXPECT_EQ(units->forward(input).scalar_type(), torch::kBFloat16);
  }
  units->eval();
  EXPECT_FALSE(run->Accepts(input));
}

// Stages that run as one operator end at the maps.
TEST(FusedRunTest, GivesTheSameMapsAndGradients) {
  const auto run = [](bool fused) {
    const auto backbone = *CreateBackbone("mobilefacenet-128");
    EXPECT_THAT(LoadWeights(*RandomWeights("mobilefacenet-128", 5), *backbone), IsOk());
    backbone->set_fusion(fused ? BeginStages : nullptr);
    backbone->train();
    std::vector<Tensor> maps;
    Tensor sum =
        backbone->ForwardWithMaps(Pictures(2, 3, network::kCropInput.height), maps).square().mean();
    for (const Tensor& map : maps) sum = sum + map.square().mean();
    sum.backward();
    std::vector<Tensor> results = maps;
    for (const Tensor& parameter : backbone->parameters()) results.push_back(parameter.grad());
    return results;
  };
  const std::vector<Tensor> fused = run(true);
  const std::vector<Tensor> plain = run(false);
  ASSERT_EQ(fused.size(), plain.size());
  for (size_t i = 0; i < fused.size(); ++i) {
    // Batch norms over two pictures make much of rounding; another order of layers would differ by
    // all.
    const double difference = (fused[i] - plain[i]).norm().item<double>();
    EXPECT_LT(difference, 0.03 * plain[i].norm().item<double>() + 1e-5) << i;
  }
}

TEST(FusedRunTest, DoesNotMindTheOrderOfMemory) {
  const auto learn = [](bool channels_last) {
    const auto network = *CreateBackbone("mobilefacenet-128");
    network->set_fusion(BeginStages);
    Fill(*network);
    const torch::NoGradGuard no_grad;
    for (Tensor& parameter : network->parameters()) {
      if (parameter.dim() == 4 && channels_last) {
        parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
      }
    }
    const torch::AutoGradMode with_gradients(true);
    network->train();
    const Tensor input = Pictures(2, 3, 112);
    Outcome outcome = Learn(*network, channels_last ? input : input.contiguous(), false);
    outcome.input_gradient = torch::zeros({1});
    return outcome;
  };
  EXPECT_TRUE(SameBits(learn(true), learn(false)));
}

TEST(StageBuilderTest, RefusesWhatIsNoStage) {
  const Tensor none;
  const auto refuses = [&](const ConvShape& shape) {
    StageBuilder builder;
    return !builder.AddConvolution(shape, none);
  };
  EXPECT_TRUE(refuses({.in = 64, .out = 64, .kernel = 3, .padding = 1}));
  EXPECT_TRUE(refuses({.in = 64, .out = 128, .stride = 2}));
  EXPECT_TRUE(refuses({.in = 128, .out = 128, .kernel = 3, .padding = 1, .groups = 64}));
  EXPECT_TRUE(refuses({.in = 64, .out = 40}));
  EXPECT_TRUE(refuses({.in = 24, .out = 24, .kernel = 3, .padding = 1, .groups = 24}));
  StageBuilder builder;
  EXPECT_FALSE(builder.complete());
  EXPECT_TRUE(builder.AddConvolution({.in = 64, .out = 64}, none));
  EXPECT_FALSE(builder.complete());
  EXPECT_FALSE(builder.AddPRelu(none));
  EXPECT_TRUE(builder.AddNorm({}));
  EXPECT_TRUE(builder.complete());
  EXPECT_TRUE(builder.AddPRelu(none));
  EXPECT_FALSE(builder.AddPRelu(none));
}

}  // namespace
}  // namespace facegate
