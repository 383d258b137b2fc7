#include "face/torch/frozen_network.h"

#include <fmt/format.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>
#include <torch/csrc/jit/passes/frozen_linear_transpose.h>
#include <torch/csrc/jit/passes/frozen_ops_to_mkldnn.h>
#include <torch/csrc/jit/passes/graph_rewrite_helper.h>
#include <torch/csrc/jit/passes/shape_analysis.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <algorithm>
#include <string>
#include <utility>

#include "face/base/catch.h"

namespace facegate {
namespace {

namespace jit = torch::jit;

// Largest difference from the backbone's own output, relative to its largest value. Folding changes
// rounding only: 1e-6 was seen.
constexpr float kTolerance = 1e-4f;
// A map is not averaged by a last layer: 1e-4 was seen in irse-50.
constexpr float kMapTolerance = 1e-3f;
// A network whose running statistics are of hardly any batches makes much of each rounding. There
// the frozen one may be so many times as far from the result in double precision as the original
// is, up to a limit; mostly it is nearer.
constexpr float kTimesAsFar = 4.0f;
constexpr float kMostTolerance = 0.1f;

// The number of OpenMP threads belongs to the calling thread; setting it costs more than asking.
void UseThreads(int threads) {
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

// The embeddings, and the maps where they are wanted.
std::vector<torch::Tensor> Outputs(Backbone& backbone, const torch::Tensor& input, bool with_maps) {
  if (!with_maps) return {backbone.forward(input)};
  std::vector<torch::Tensor> outputs(1);
  outputs[0] = backbone.ForwardWithMaps(input, outputs);
  return outputs;
}

// The backbone's forward pass as a graph in which every tensor but the input is a constant.
std::shared_ptr<jit::Graph> Trace(Backbone& backbone, const torch::Tensor& example,
                                  bool with_maps) {
  const auto forward = [&](const jit::Stack& inputs) {
    const auto outputs = Outputs(backbone, inputs.at(0).toTensor(), with_maps);
    return jit::Stack(outputs.begin(), outputs.end());
  };
  const auto no_name = [](const torch::autograd::Variable&) { return std::string(); };
  return jit::tracer::trace({example}, forward, no_name).first->graph;
}

void Optimize(std::shared_ptr<jit::Graph>& graph, bool with_onednn) {
  // The trace knows the example's batch size; no pass may rely on it.
  jit::EraseShapeInformation(graph);
  // A trace has aten::_convolution where the oneDNN pass looks for aten::conv2d.
  jit::graph_rewrite_helper::replaceConvolutionWithAtenConv(graph);
  jit::OptimizeFrozenGraph(graph);
  if (with_onednn) {
    jit::ConvertFrozenOpsToMKLDNN(graph);
    jit::FrozenLinearTranspose(graph);
  }
  jit::EliminateDeadCode(graph);
}

std::vector<torch::Tensor> Execute(const jit::Code& code, const torch::Tensor& input) {
  jit::Stack stack{input};
  jit::InterpreterState(code).run(stack);
  std::vector<torch::Tensor> outputs;
  outputs.reserve(stack.size());
  for (const auto& value : stack) outputs.push_back(value.toTensor().cpu().contiguous());
  return outputs;
}

// The same on the CPU, computed in double precision; the backbone is as it was afterwards, but for
// the types of its counters.
std::vector<torch::Tensor> ExactOutputs(Backbone& backbone, const torch::Tensor& input,
                                        bool with_maps) {
  backbone.to(torch::kDouble);
  std::vector<torch::Tensor> outputs = Outputs(backbone, input.to(torch::kDouble), with_maps);
  for (torch::Tensor& one : outputs) one = one.cpu();
  backbone.to(torch::kFloat);
  return outputs;
}

float LargestDifference(const torch::Tensor& one, const torch::Tensor& other) {
  return (one - other).abs().max().item<float>();
}

// `exact` is the result in double precision, or undefined.
Status Compare(const torch::Tensor& expected, const torch::Tensor& exact,
               const torch::Tensor& actual, float tolerance) {
  if (!torch::isfinite(expected).all().item<bool>()) {
    return InvalidArgument("the network gives values that are not finite: its weights are broken");
  }
  if (actual.sizes() != expected.sizes()) return Internal("the frozen network's output differs");
  const float scale = expected.abs().max().item<float>();
  const float worst = LargestDifference(actual, expected);
  if (worst <= tolerance * scale) return OkStatus();
  if (exact.defined()) {
    const float limit =
        std::min(kTimesAsFar * LargestDifference(expected, exact), kMostTolerance * scale);
    if (LargestDifference(actual, exact) <= limit) return OkStatus();
  }
  return Internal(
      fmt::format("the frozen network differs from the original by {} of {}", worst, scale));
}

}  // namespace

struct FrozenNetwork::Program {
  jit::Code code;
  torch::Device device;
};

FrozenNetwork::FrozenNetwork(std::unique_ptr<Program> program) : program_(std::move(program)) {}
FrozenNetwork::~FrozenNetwork() = default;

StatusOr<std::unique_ptr<FrozenNetwork>> FrozenNetwork::Create(Backbone& backbone,
                                                               torch::Device device,
                                                               bool with_maps) {
  return CatchToStatus("freezing the network", [&]() -> StatusOr<std::unique_ptr<FrozenNetwork>> {
    const torch::NoGradGuard no_grad;
    UseThreads(1);
    backbone.eval();
    // The tracer takes tensors that need no gradient as constants.
    for (auto& parameter : backbone.parameters()) parameter.set_requires_grad(false);

    const auto& [channels, height, width] = backbone.input();
    const torch::Tensor example = torch::linspace(-1.0, 1.0, 2 * channels * height * width)
                                      .sin_()
                                      .view(backbone.InputShape(2));
    const std::vector<torch::Tensor> expected = Outputs(backbone, example, with_maps);
    backbone.to(device);
    const auto freeze = [&](bool with_onednn) -> StatusOr<std::unique_ptr<FrozenNetwork>> {
      auto graph = Trace(backbone, example.to(device), with_maps);
      Optimize(graph, with_onednn);
      auto program = std::make_unique<Program>(Program{jit::Code(graph, "backbone"), device});
      std::unique_ptr<FrozenNetwork> network(new FrozenNetwork(std::move(program)));
      Status proven = network->Prove(example, expected, {});
      if (proven.code() == StatusCode::kInternal) {
        proven = network->Prove(example, expected,
                                ExactOutputs(backbone, example.to(device), with_maps));
      }
      FACEGATE_RETURN_IF_ERROR(proven);
      return network;
    };
    return freeze(device.is_cpu() && backbone.fits_onednn());
  });
}

Status FrozenNetwork::Prove(const torch::Tensor& example,
                            const std::vector<torch::Tensor>& expected,
                            const std::vector<torch::Tensor>& exact) const {
  for (int64_t rows = 1; rows <= example.size(0); ++rows) {
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<torch::Tensor> actual,
                              RunAll(example.narrow(0, 0, rows), 1));
    if (actual.size() != expected.size()) return Internal("the frozen network lacks an output");
    for (size_t i = 0; i < actual.size(); ++i) {
      FACEGATE_RETURN_IF_ERROR(
          Compare(expected[i].narrow(0, 0, rows),
                  exact.empty() ? torch::Tensor() : exact[i].narrow(0, 0, rows), actual[i],
                  i == 0 ? kTolerance : kMapTolerance));
    }
  }
  return OkStatus();
}

StatusOr<torch::Tensor> FrozenNetwork::Run(const torch::Tensor& input, int threads) const {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<torch::Tensor> outputs, RunAll(input, threads));
  return outputs.front();
}

StatusOr<std::vector<torch::Tensor>> FrozenNetwork::RunAll(const torch::Tensor& input,
                                                           int threads) const {
  if (threads < 1) {
    return InvalidArgument(fmt::format("{} threads, expected at least 1", threads));
  }
  return CatchToStatus("running the network", [&]() -> StatusOr<std::vector<torch::Tensor>> {
    const torch::NoGradGuard no_grad;
    UseThreads(threads);
    return Execute(program_->code, input.to(program_->device));
  });
}

}  // namespace facegate
