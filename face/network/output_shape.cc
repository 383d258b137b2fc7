#include "face/network/output_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "face/network/layer_fields.h"
#include "face/weights/weights.h"

namespace facegate::network {
namespace {

constexpr int64_t kMaxNumbers = int64_t{1} << 28;  // of one picture, in what a layer gives
constexpr int64_t kMaxSum = int64_t{1} << 32;      // the same, in all values of a graph

Status Refused(const char* layer, const Extents& input) {
  return InvalidArgument(
      fmt::format("a {} does not take an input of the shape {}", layer, ShapeText(input)));
}

// Tells whether the fields of a layer are in their ranges.
class RangeCheck {
 public:
  void Number(const char*, int64_t value, int64_t least, int64_t most) {
    fits_ = fits_ && value >= least && value <= most;
  }
  void Numbers(const char* name, std::initializer_list<const int64_t*> values, int64_t least,
               int64_t most) {
    for (const int64_t* const value : values) Number(name, *value, least, most);
  }
  void Real(const char*, double value, double least, double most) {
    fits_ = fits_ && value >= least && value <= most;
  }
  void Truth(const char*, bool) {}
  void Divides(const char*, int64_t whole, int64_t part) {
    fits_ = fits_ && part >= 1 && whole % part == 0;
  }
  void Require(const char*, bool fits) { fits_ = fits_ && fits; }

  bool fits() const { return fits_; }

 private:
  bool fits_ = true;
};

struct FieldsFit {
  // These have layers alone, which are asked for themselves.
  bool operator()(const Chain& /*chain*/) const { return true; }
  bool operator()(const Residual& /*residual*/) const { return true; }
  bool operator()(const Graph& /*graph*/) const { return true; }
  template <typename Kind>
  bool operator()(Kind kind) const {  // by value: Fields() takes what a reader could change
    RangeCheck range;
    Fields(range, kind);
    return range.fits();
  }
};

Status CheckSize(const Extents& output) {
  if (ElementCount(output).value_or(kMaxNumbers + 1) <= kMaxNumbers) return OkStatus();
  return InvalidArgument(fmt::format("a layer gives the shape {}, limit is {} numbers",
                                     ShapeText(output), kMaxNumbers));
}

StatusOr<Extents> Follow(const std::vector<Layer>& layers, Extents value) {
  for (const Layer& layer : layers) {
    FACEGATE_ASSIGN_OR_RETURN(value, OutputOf(layer.kind, value));
  }
  return value;
}

// The extents that two values have together; nothing where they cannot meet.
std::optional<Extents> Meet(const Extents& one, const Extents& other) {
  const auto per_channel = [](const Extents& value, const Extents& of) {
    return value.size() == 3 && of.size() == 3 && value == Extents{of[0], 1, 1};
  };
  if (one == other || per_channel(other, one)) return one;
  if (one.size() == 3 && other == Extents{one[0]}) return one;
  if (per_channel(one, other)) return other;
  return std::nullopt;
}

StatusOr<Extents> Joined(Join join, const std::vector<Extents>& values) {
  Extents output = values.front();
  for (size_t i = 1; i < values.size(); ++i) {
    const Extents& value = values[i];
    if (join != Join::kConcat) {
      const std::optional<Extents> met = Meet(output, value);
      if (!met.has_value()) return Refused("join", value);
      output = *met;
      continue;
    }
    const bool fits = !value.empty() && value.size() != 2 && value.size() == output.size() &&
                      std::equal(value.begin() + 1, value.end(), output.begin() + 1);
    if (!fits) return Refused("join", value);
    output[0] += value[0];
  }
  return output;
}

// Checks that a call names what exists before it.
Status CheckCall(const Graph& graph, size_t number) {
  const auto& [what, inputs] = graph.calls[number - 1];
  const auto* const layer = std::get_if<size_t>(&what);
  const auto* const join = std::get_if<Join>(&what);
  const bool many = join != nullptr && *join == Join::kConcat;
  const size_t least = layer != nullptr ? 1 : 2;
  const bool known =
      (layer == nullptr || *layer < graph.layers.size()) && inputs.size() >= least &&
      (many || inputs.size() == least) &&
      std::all_of(inputs.begin(), inputs.end(), [number](size_t input) { return input < number; });
  if (known) return OkStatus();
  return InvalidArgument(fmt::format("call {} of a graph is not of what stands before it", number));
}

struct Output {
  StatusOr<Extents> operator()(const Convolution& layer) const {
    const auto& [in, out, kernel, stride, padding, groups] = layer.shape;
    if (input.size() != 3 || input[0] != in) return Refused("convolution", input);
    Extents output = {out};
    for (const int64_t side : {input[1], input[2]}) {
      const int64_t places = side + 2 * padding - kernel;
      if (places < 0) return Refused("convolution", input);
      output.push_back(places / stride + 1);
    }
    return output;
  }
  StatusOr<Extents> operator()(const OblongConvolution& layer) const {
    if (input.size() != 3 || input[0] != layer.in) return Refused("convolution", input);
    return Under("convolution", layer.window, layer.out);
  }
  StatusOr<Extents> operator()(const MaxPool& layer) const {
    return Under("max pooling", layer.window, input.empty() ? 0 : input[0]);
  }
  StatusOr<Extents> operator()(const AveragePool& layer) const {
    return Under("average pooling", layer.window, input.empty() ? 0 : input[0]);
  }
  StatusOr<Extents> operator()(const GlobalAverage& /*layer*/) const {
    if (input.size() != 3) return Refused("global average", input);
    return Extents{input[0], 1, 1};
  }
  StatusOr<Extents> operator()(const Pad& layer) const {
    if (input.size() != 3) return Refused("padding", input);
    const auto& [top, left, bottom, right] = layer.borders;
    return Extents{input[0], input[1] + top + bottom, input[2] + left + right};
  }
  StatusOr<Extents> operator()(const Linear& layer) const {
    return OfEachToken("linear layer", layer.in, layer.out);
  }
  StatusOr<Extents> operator()(const Flatten& /*layer*/) const {
    return Extents{ElementCount(input).value_or(0)};  // was counted when it was made
  }
  StatusOr<Extents> operator()(const Subsample& layer) const {
    if (input.size() != 3) return Refused("subsampling", input);
    return Extents{input[0], (input[1] - 1) / layer.stride + 1, (input[2] - 1) / layer.stride + 1};
  }
  StatusOr<Extents> operator()(const Graph& graph) const {
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<Extents> values, ValuesOf(graph, input));
    return values.back();
  }
  StatusOr<Extents> operator()(const Chain& chain) const { return Follow(chain.layers, input); }
  StatusOr<Extents> operator()(const Residual& residual) const {
    FACEGATE_ASSIGN_OR_RETURN(Extents output, Follow(residual.layers, input));
    FACEGATE_ASSIGN_OR_RETURN(const Extents added, Follow(residual.shortcut, input));
    if (output != added) return Refused("residual", input);
    return output;
  }
  StatusOr<Extents> operator()(const BatchNorm& layer) const {
    return Same("batch norm", layer.channels);
  }
  StatusOr<Extents> operator()(const ChannelAffine& layer) const {
    return Same("channel affine", layer.channels);
  }
  StatusOr<Extents> operator()(const PRelu& layer) const {
    if (layer.channels == 1) return input;
    return Same("PReLU", layer.channels);
  }
  StatusOr<Extents> operator()(const ChannelGate& layer) const {
    if (input.size() != 3) return Refused("channel gate", input);
    return Same("channel gate", layer.channels);
  }
  StatusOr<Extents> operator()(const PixelShuffle& layer) const {
    const int64_t square = layer.factor * layer.factor;
    if (input.size() != 3 || input[0] % square != 0) return Refused("pixel shuffle", input);
    return Extents{input[0] / square, layer.factor * input[1], layer.factor * input[2]};
  }
  StatusOr<Extents> operator()(const Tokens& /*layer*/) const {
    if (input.size() != 3) return Refused("layer that makes tokens", input);
    return Extents{input[1] * input[2], input[0]};
  }
  StatusOr<Extents> operator()(const PositionEmbedding& layer) const {
    if (input != Extents{layer.count, layer.channels}) return Refused("position embedding", input);
    return input;
  }
  StatusOr<Extents> operator()(const LayerNorm& layer) const {
    return OfEachToken("layer norm", layer.channels, layer.channels);
  }
  StatusOr<Extents> operator()(const SelfAttention& layer) const {
    if (input.size() != 2 || input[1] != layer.channels) return Refused("self attention", input);
    FACEGATE_RETURN_IF_ERROR(CheckSize({layer.heads, input[0], input[0]}));
    FACEGATE_RETURN_IF_ERROR(CheckSize({input[0], 3 * layer.channels}));
    return input;
  }
  StatusOr<Extents> operator()(const DropTokens& /*layer*/) const {
    if (input.size() != 2) return Refused("layer that leaves out tokens", input);
    return input;
  }
  StatusOr<Extents> operator()(const MaskToken& layer) const {
    if (input.size() != 2 || input[1] != layer.channels) return Refused("mask token", input);
    return input;
  }
  StatusOr<Extents> operator()(const DropPath& /*layer*/) const { return input; }
  StatusOr<Extents> operator()(const Relu& /*layer*/) const { return input; }
  StatusOr<Extents> operator()(const Clip& /*layer*/) const { return input; }
  StatusOr<Extents> operator()(const Sigmoid& /*layer*/) const { return input; }
  StatusOr<Extents> operator()(const Dropout& /*layer*/) const { return input; }

  // For layers that go by the channels of maps and lists, which tokens have at another place.
  StatusOr<Extents> Same(const char* layer, int64_t channels) const {
    if (input.empty() || input.size() == 2 || input[0] != channels) return Refused(layer, input);
    return input;
  }

  // For layers that take a list, or each token as one.
  StatusOr<Extents> OfEachToken(const char* layer, int64_t in, int64_t out) const {
    if (input.empty() || input.size() > 2 || input.back() != in) return Refused(layer, input);
    Extents output = input;
    output.back() = out;
    return output;
  }

  // What a window that slides over the input gives.
  StatusOr<Extents> Under(const char* layer, const Window& window, int64_t channels) const {
    if (input.size() != 3) return Refused(layer, input);
    const auto& [kernel, stride, dilation, padding] = window;
    const int64_t down =
        input[1] + padding.top + padding.bottom - (kernel.height - 1) * dilation.height - 1;
    const int64_t across =
        input[2] + padding.left + padding.right - (kernel.width - 1) * dilation.width - 1;
    if (down < 0 || across < 0) return Refused(layer, input);
    return Extents{channels, down / stride.height + 1, across / stride.width + 1};
  }

  const Extents& input;
};

}  // namespace

StatusOr<Extents> OutputOf(const LayerKind& layer, const Extents& input) {
  if (!std::visit(FieldsFit{}, layer)) {
    return InvalidArgument(
        fmt::format("a {} has numbers out of range", std::string(kKindNames[layer.index()])));
  }
  FACEGATE_ASSIGN_OR_RETURN(Extents output, std::visit(Output{input}, layer));
  FACEGATE_RETURN_IF_ERROR(CheckSize(output));
  return output;
}

StatusOr<Extents> OutputOfJoin(Join join, const std::vector<Extents>& inputs) {
  FACEGATE_ASSIGN_OR_RETURN(Extents output, Joined(join, inputs));
  FACEGATE_RETURN_IF_ERROR(CheckSize(output));
  return output;
}

StatusOr<std::vector<Extents>> ValuesOf(const Graph& graph, const Extents& input) {
  if (graph.calls.empty()) return InvalidArgument("a graph makes no call");
  std::vector<Extents> values = {input};
  int64_t sum = 0;
  for (const Call& call : graph.calls) {
    FACEGATE_RETURN_IF_ERROR(CheckCall(graph, values.size()));
    std::vector<Extents> inputs;
    inputs.reserve(call.inputs.size());
    for (const size_t i : call.inputs) inputs.push_back(values[i]);
    const auto* const layer = std::get_if<size_t>(&call.what);
    FACEGATE_ASSIGN_OR_RETURN(Extents output,
                              layer != nullptr ? OutputOf(graph.layers[*layer].kind, inputs.front())
                                               : OutputOfJoin(std::get<Join>(call.what), inputs));
    sum += ElementCount(output).value_or(0);
    if (sum > kMaxSum) {
      return InvalidArgument(
          fmt::format("the calls of a graph give more than {} numbers in all", kMaxSum));
    }
    values.push_back(std::move(output));
  }
  return values;
}

}  // namespace facegate::network
