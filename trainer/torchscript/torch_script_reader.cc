#include "trainer/torchscript/torch_script_reader.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "face/base/catch.h"
#include "face/base/random.h"
#include "face/torch/loaded_backbone.h"
#include "trainer/torchscript/script_archive.h"
#include "trainer/torchscript/script_trace.h"
#include "trainer/torchscript/script_walk.h"

namespace facegate {
namespace {

namespace jit = torch::jit;
using torch_script::NamedTensor;
using torch_script::ScriptTrace;
using torch_script::ScriptWalk;

constexpr uint64_t kSeed = 20;
constexpr double kLeastCosine = 0.9999;
constexpr size_t kCopies = 4;               // of the file, that constants may be
constexpr size_t kSmallCopies = 64U << 20;  // bytes that come to that
constexpr size_t kMostText = 300;           // of LibTorch's
constexpr double kMostLengthened = 0.01;    // of a length
constexpr double kUnitLength = 0.001;       // how far from 1 the length of a normalised one is
constexpr size_t kMostInlined = 1U << 18;   // nodes; a network of a thousand layers has some 60,000

// What LibTorch says of a file. The lines after the first are of its own source.
Status Refused(const Status& status) {
  if (status.code() != StatusCode::kInternal) return status;
  const std::string text(MessageOf(status));
  return InvalidArgument(text.substr(0, std::min(text.find('\n'), kMostText)));
}

at::Tensor Noise(const std::vector<int64_t>& shape, double least, double most) {
  RandomStream stream(kSeed, most);
  at::Tensor picture = at::empty(shape, at::kFloat);
  float* const numbers = picture.data_ptr<float>();
  for (int64_t i = 0; i < picture.numel(); ++i) {
    numbers[i] = static_cast<float>(stream.Uniform(least, most));
  }
  return picture;
}

// What networks take is numbers around zero, or pixels. Layers add up noise to little more than
// nothing, so that there are an even picture and a smooth one, too.
std::vector<at::Tensor> Pictures(const std::vector<int64_t>& shape) {
  const at::Tensor even = at::full(shape, -0.75F, at::kFloat);
  const at::Tensor rows = at::linspace(-1.0, 1.0, shape[2]).reshape({1, 1, shape[2], 1});
  return {Noise(shape, -1.0, 1.0), Noise(shape, 0.0, 255.0), even, rows.expand(shape).contiguous()};
}

// How many nodes a graph has once all calls in it are inlined; more than kMostInlined where there
// are more. `known`: those of functions, 0 of one that is being counted.
size_t InlinedSize(const jit::Block& block, std::map<const jit::Function*, size_t>& known);

size_t InlinedSize(jit::Function& function, std::map<const jit::Function*, size_t>& known) {
  const auto [found, added] = known.try_emplace(&function, 0);
  if (!added) return found->second == 0 ? kMostInlined + 1 : found->second;
  if (!function.isGraphFunction()) return found->second = 1;
  const size_t size = InlinedSize(*jit::toGraphFunction(function).graph()->block(), known) + 1;
  return known[&function] = size;
}

// The function that a node calls; null where it calls none that is inlined.
jit::Function* CalledBy(const jit::Node& node) {
  if (node.kind() == c10::prim::CallMethod) {
    const auto type = node.input(0)->type()->cast<c10::ClassType>();
    return type == nullptr ? nullptr : type->findMethod(node.s(c10::attr::name));
  }
  if (node.kind() != c10::prim::CallFunction) return nullptr;
  const auto type = node.input(0)->type()->cast<c10::FunctionType>();
  return type == nullptr ? nullptr : type->function();
}

size_t InlinedSize(const jit::Block& block, std::map<const jit::Function*, size_t>& known) {
  size_t size = 0;
  for (const jit::Node* const node : block.nodes()) {
    ++size;
    if (jit::Function* const function = CalledBy(*node)) size += InlinedSize(*function, known);
    for (const jit::Block* const within : node->blocks()) size += InlinedSize(*within, known);
    if (size > kMostInlined) return kMostInlined + 1;
  }
  return size;
}

// The tensor that forward() returns, or the first of several values.
StatusOr<at::Tensor> EmbeddingOf(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor();
  if (value.isTuple() && !value.toTupleRef().elements().empty()) {
    return EmbeddingOf(value.toTupleRef().elements()[0]);
  }
  return InvalidArgument("what forward() returns is no tensor");
}

std::vector<float> NumbersOf(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kFloat).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

std::vector<NamedTensor> TensorsOf(const jit::Module& module) {
  std::vector<NamedTensor> tensors;
  for (const auto& named : module.named_parameters()) tensors.emplace_back(named.name, named.value);
  for (const auto& named : module.named_buffers()) tensors.emplace_back(named.name, named.value);
  return tensors;
}

// The module, the picture, and what its other arguments are where nothing is said of them.
StatusOr<std::vector<c10::IValue>> InputsOf(const jit::Module& module, const jit::Method& forward,
                                            const at::Tensor& picture) {
  std::vector<c10::IValue> inputs = {module._ivalue(), picture};
  const auto& arguments = forward.function().getSchema().arguments();
  if (arguments.size() < 2) return InvalidArgument("its forward() takes no picture");
  for (size_t i = 2; i < arguments.size(); ++i) {
    if (!arguments[i].default_value().has_value()) {
      return InvalidArgument(
          fmt::format("its forward() takes {} inputs, expected one", arguments.size() - 1));
    }
    inputs.push_back(*arguments[i].default_value());
  }
  return inputs;
}

StatusOr<ScriptNetwork> Trace(const jit::Module& module, const std::vector<int64_t>& shape,
                              size_t most_bytes) {
  const auto forward = module.find_method("forward");
  if (!forward.has_value()) return InvalidArgument("the module has no forward()");
  std::map<const jit::Function*, size_t> known;
  if (InlinedSize(forward->function(), known) > kMostInlined) {
    return InvalidArgument(fmt::format(
        "its forward() has more than {} operators where calls are replaced by what they call",
        kMostInlined));
  }
  const auto graph = forward->graph()->copy();
  jit::Inline(*graph);
  ScriptNetwork network{.model = {}, .probe = {.shape = shape}};
  for (const at::Tensor& picture : Pictures(shape)) {
    if (network.model.nodes.empty()) {
      ScriptTrace trace(TensorsOf(module), most_bytes);
      const at::Tensor taken = picture.clone();
      trace.Begin(taken);
      FACEGATE_ASSIGN_OR_RETURN(const auto inputs, InputsOf(module, *forward, taken));
      FACEGATE_ASSIGN_OR_RETURN(const c10::IValue output,
                                ScriptWalk(trace, most_bytes).Run(*graph, inputs));
      FACEGATE_ASSIGN_OR_RETURN(const at::Tensor embedding, EmbeddingOf(output));
      FACEGATE_ASSIGN_OR_RETURN(network.model, trace.Finish(embedding));
    }
    network.probe.pictures.push_back(NumbersOf(picture));
    FACEGATE_ASSIGN_OR_RETURN(const at::Tensor embedding, EmbeddingOf((*forward)({picture})));
    network.probe.embeddings.push_back(NumbersOf(embedding));
  }
  return network;
}

double LengthOf(const std::vector<float>& numbers) {
  double squares = 0.0;
  for (const float one : numbers) squares += double{one} * double{one};
  return std::sqrt(squares);
}

// Lengths that are all 1 say nothing: a division by the length is not a part of what is read.
bool AreNormalised(const std::vector<std::vector<float>>& embeddings) {
  return std::all_of(embeddings.begin(), embeddings.end(), [](const std::vector<float>& one) {
    return std::abs(LengthOf(one) - 1.0) <= kUnitLength;
  });
}

double CosineOf(const std::vector<float>& one, const std::vector<float>& other) {
  double product = 0.0;
  for (size_t i = 0; i < one.size(); ++i) product += double{one[i]} * double{other[i]};
  return product / (LengthOf(one) * LengthOf(other));
}

class Reader : public ScriptReader {
 public:
  StatusOr<ScriptNetwork> Read(const std::string& archive, const network::Sides& sides) override {
    FACEGATE_RETURN_IF_ERROR(CheckScriptArchive(archive));
    const at::NoGradGuard no_grad;
    auto loaded = CatchToStatus("LibTorch", [&]() -> StatusOr<jit::Module> {
      std::istringstream stream(archive);
      jit::Module module = jit::load(stream, at::Device(at::kCPU));
      module.eval();
      return module;
    });
    if (!loaded.ok()) return Refused(loaded.status());
    const auto trace = [&](int64_t channels) {
      return CatchToStatus("LibTorch", [&] {
        return Trace(*loaded, {1, channels, sides.height, sides.width},
                     kCopies * archive.size() + kSmallCopies);
      });
    };
    auto network = trace(3);
    if (!network.ok()) {
      // LibTorch's own errors are of the channels; what is said of an operator is not.
      auto grey = trace(1);
      const bool of_channels = network.status().code() == StatusCode::kInternal;
      if (grey.ok() || (of_channels && grey.status().code() != StatusCode::kInternal)) return grey;
      return Refused(network.status());
    }
    return network;
  }

  Status Compare(const network::Description& description, const TensorMap& tensors,
                 const ScriptProbe& probe) override {
    const at::NoGradGuard no_grad;
    FACEGATE_ASSIGN_OR_RETURN(const auto backbone, LoadBackbone(description, tensors));
    backbone->eval();
    const bool of_any_length = AreNormalised(probe.embeddings);
    return Refused(CatchToStatus("LibTorch", [&]() -> Status {
      for (size_t i = 0; i < probe.pictures.size(); ++i) {
        at::Tensor picture = at::empty(probe.shape, at::kFloat);
        std::copy(probe.pictures[i].begin(), probe.pictures[i].end(), picture.data_ptr<float>());
        const std::vector<float> ours = NumbersOf(backbone->forward(picture));
        const std::vector<float>& theirs = probe.embeddings[i];
        if (ours == theirs) continue;
        const double cosine = ours.size() == theirs.size() ? CosineOf(ours, theirs) : 0.0;
        // Not for a cosine that is no number, either.
        if (!(cosine >= kLeastCosine)) {
          return InvalidArgument(
              fmt::format("{} gives other embeddings than the module, cosine {:.6f}, expected at "
                          "least {}: the module does something that was not followed",
                          description.name, cosine, kLeastCosine));
        }
        const double length = LengthOf(ours) / LengthOf(theirs);
        if (!of_any_length && !(std::abs(length - 1.0) <= kMostLengthened)) {
          return InvalidArgument(
              fmt::format("{} gives embeddings {:.4f} times as long as the module's: the module "
                          "does something that was not followed",
                          description.name, length));
        }
      }
      return OkStatus();
    }));
  }
};

}  // namespace

ScriptReader* TorchScriptReader() {
  static Reader reader;
  return &reader;
}

}  // namespace facegate
