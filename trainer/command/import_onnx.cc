#include "trainer/command/import_onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "face/network/census.h"
#include "face/network/shape_map.h"
#include "face/onnx/graph_constant.h"
#include "face/onnx/graph_reader.h"
#include "face/onnx/onnx_file.h"
#include "face/onnx/onnx_state_dict.h"

namespace facegate {
namespace {

// The operator that takes the first input.
std::string FirstOf(const OnnxModel& model) {
  if (model.inputs.empty()) return "";
  const std::string& input = model.inputs.front().name;
  const auto first =
      std::find_if(model.nodes.begin(), model.nodes.end(), [&input](const OnnxNode& node) {
        return std::find(node.inputs.begin(), node.inputs.end(), input) != node.inputs.end();
      });
  return first == model.nodes.end() ? "" : first->op;
}

// The factors and summands of a batch norm that has none of its own.
bool ChangesNothing(std::string_view name, const std::vector<float>& numbers) {
  if (!(name.ends_with(".weight") || name.ends_with(".bias"))) return false;
  const float neutral = name.ends_with(".weight") ? 1.0F : 0.0F;
  return std::all_of(numbers.begin(), numbers.end(),
                     [neutral](float one) { return one == neutral; });
}

// How many numbers each tensor has, and a hash of them as F32.
network::TensorContents ContentsOf(const TensorMap& tensors) {
  network::TensorContents contents;
  for (const auto& [name, tensor] : tensors) {
    if (IsBatchCounter(name)) continue;
    const StatusOr<GraphConstant> constant = ConstantOf(tensor);
    if (!constant.ok() || constant->whole) {
      contents[name] = fmt::format("of another type: {}", static_cast<const void*>(&tensor));
    } else if (!ChangesNothing(name, constant->reals)) {
      const std::vector<float>& numbers = constant->reals;
      const std::string_view bytes(reinterpret_cast<const char*>(numbers.data()),
                                   numbers.size() * sizeof(float));
      contents[name] = fmt::format("{}:{}", numbers.size(), std::hash<std::string_view>()(bytes));
    }
  }
  return contents;
}

// The graph computes the network, on pictures of the size that it takes.
bool Computes(const GraphNetwork& graph, const FoundBackbone& named) {
  network::Computations computations;
  return (graph.open_sides || graph.description.input == named.network.input) &&
         computations.Of(graph.description, ContentsOf(graph.tensors)) ==
             computations.Of(named.network, ContentsOf(named.tensors));
}

// A graph that was not followed is what --architecture says, if its tensors are called so.
Status CheckClaim(const BackboneWish& wish, const StatusOr<FoundBackbone>& named,
                  const std::string& first, const Status& unread) {
  const bool fits = named.ok() && first == "Conv";
  if (fits && wish.architecture.has_value()) return OkStatus();
  if (!fits) {
    return InvalidArgument(
        fmt::format("the graph is of no network that is known here: {}", MessageOf(unread)));
  }
  return InvalidArgument(
      fmt::format("its tensors are called as those of {}, but what its graph computes was not "
                  "followed: {}; where you know that it is that network, --architecture says so",
                  named->network.name, MessageOf(unread)));
}

OnnxBackbone BackboneOf(GraphNetwork graph, const BackboneWish& wish) {
  OnnxBackbone backbone{.found = {}, .largest_pixel = graph.largest_pixel};
  std::vector<std::string>& remarks = backbone.found.remarks;
  remarks = {"its layers are those of the graph"};
  if (graph.open_sides && !wish.hints.input.has_value()) {
    const auto& [channels, height, width] = graph.description.input;
    remarks.push_back(fmt::format(
        "the graph takes pictures of several sizes; {}x{} pixels are taken, --input decides "
        "otherwise",
        width, height));
  }
  if (graph.largest_pixel.has_value()) {
    remarks.push_back(fmt::format("the graph prepares its input itself, of pixels 0 to {}",
                                  *graph.largest_pixel));
  }
  backbone.found.tensors = std::move(graph.tensors);
  backbone.found.network = std::move(graph.description);
  return backbone;
}

}  // namespace

StatusOr<OnnxWeights> ReadOnnxWeights(std::string_view bytes, const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel model,
                            ParseOnnx(bytes, std::filesystem::path(path).parent_path().string()));
  return WeightsOf(std::move(model));
}

StatusOr<OnnxWeights> WeightsOf(OnnxModel model) {
  OnnxWeights weights{.file = {}, .first = FirstOf(model)};
  FACEGATE_ASSIGN_OR_RETURN(weights.file, TakeStateDict(std::move(model)));
  return weights;
}

StatusOr<OnnxBackbone> TakeOnnxBackbone(OnnxWeights weights, std::string_view bytes,
                                        const std::string& path, const BackboneWish& wish) {
  if (weights.file.tensors.empty()) {
    return InvalidArgument("the ONNX model has no initializers: it holds no weights");
  }
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel model,
                            ParseOnnx(bytes, std::filesystem::path(path).parent_path().string()));
  return TakeOnnxBackbone(std::move(weights), std::move(model), wish);
}

StatusOr<OnnxBackbone> TakeOnnxBackbone(OnnxWeights weights, OnnxModel model,
                                        const BackboneWish& wish) {
  StatusOr<GraphNetwork> read = DescribeGraph(std::move(model), wish.hints.input);
  BackboneWish sized = wish;
  if (read.ok() && !read->open_sides && !sized.hints.input.has_value()) {
    const auto& [channels, height, width] = read->description.input;
    sized.hints.input = network::Sides{.height = height, .width = width};
  }
  StatusOr<FoundBackbone> named = TakeBackbone(weights.file.tensors, sized);
  const bool asked = wish.architecture.has_value() || wish.entry.has_value();
  if (!named.ok() && asked) return named.status();
  if (named.ok() && read.ok() && Computes(*read, *named)) {
    return OnnxBackbone{.found = *std::move(named)};
  }
  if (!read.ok()) {
    FACEGATE_RETURN_IF_ERROR(CheckClaim(wish, named, weights.first, read.status()));
    named->remarks.push_back(
        fmt::format("it is said to be {}; what its graph computes was not compared: {}",
                    named->network.name, MessageOf(read.status())));
    return OnnxBackbone{.found = *std::move(named)};
  }
  if (asked) {
    return InvalidArgument(
        fmt::format("its tensors are those of {}, but the graph computes something else, such as a "
                    "preparation of the picture: without --architecture and --entry the graph is "
                    "taken as it is",
                    named->network.name));
  }
  return BackboneOf(*std::move(read), wish);
}

}  // namespace facegate
