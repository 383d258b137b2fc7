#include "face/network/census.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "face/network/layer_fields.h"

namespace facegate::network {
namespace {

// Writes the fields of a layer one behind the other.
class TextWriter {
 public:
  void Number(const char* name, int64_t value, int64_t, int64_t) { Add(name, value); }
  void Numbers(const char* name, std::initializer_list<const int64_t*> values, int64_t, int64_t) {
    for (const int64_t* const value : values) Add(name, *value);
  }
  void Real(const char* name, double value, double, double) {
    Add(name, static_cast<float>(value));
  }
  void Truth(const char* name, bool value) { Add(name, value); }
  void Divides(const char*, int64_t, int64_t) {}
  void Require(const char*, bool) {}

  const std::string& text() const { return text_; }

 private:
  template <typename Value>
  void Add(const char* name, Value value) {
    text_ += fmt::format(" {} {}", name, value);
  }

  std::string text_;
};

// What an operation does, the tensors that it may have, and what is known of its inputs.
struct Operation {
  std::string what;
  std::string layer;  // the name that its tensors begin with
  std::span<const std::string_view> tensors;
  std::vector<size_t> inputs;
};

constexpr std::string_view kTensors[] = {
    "",          ".weight",      ".bias",     ".running_mean", ".running_var", ".qkv.weight",
    ".qkv.bias", ".proj.weight", ".proj.bias"};
constexpr std::string_view kFactors[] = {".weight"};
constexpr std::string_view kSummands[] = {".bias"};

// Follows layers from an input, which is 0, and asks `result` what stands for each value.
class Follower {
 public:
  using Result = std::function<size_t(const Operation&)>;
  explicit Follower(Result result) : result_(std::move(result)) {}

  void operator()(const Convolution& layer) {
    const auto& [in, out, kernel, stride, padding, groups] = layer.shape;
    (*this)(OblongConvolution{.in = in,
                              .out = out,
                              .groups = groups,
                              .window = {.kernel = {kernel, kernel},
                                         .stride = {stride, stride},
                                         .dilation = {},
                                         .padding = {padding, padding, padding, padding}},
                              .bias = layer.bias});
  }
  void operator()(BatchNorm layer) {
    layer.fixed_weight = false;
    layer.affine = true;
    Apply("batch norm", layer);
  }
  void operator()(const ChannelAffine& layer) {
    if (layer.weight) Apply("factors", PRelu{layer.channels}, kFactors);
    if (layer.bias) Apply("summands", PRelu{layer.channels}, kSummands);
  }
  void operator()(const Subsample& layer) {
    if (layer.stride == 1) return;
    (*this)(MaxPool{
        {.kernel = {}, .stride = {layer.stride, layer.stride}, .dilation = {}, .padding = {}}});
  }
  void operator()(const ChannelGate& layer) {
    const int64_t squeezed = layer.channels / layer.reduction;
    const size_t input = value_;
    const std::vector<Layer> gate = {{"mean", GlobalAverage{}},
                                     {"fc1", Convolution{{.in = layer.channels, .out = squeezed}}},
                                     {"relu", Relu{}},
                                     {"fc2", Convolution{{.in = squeezed, .out = layer.channels}}},
                                     {"sigmoid", Sigmoid{}}};
    Follow(gate, name_ + ".");
    Meet(Join::kMultiply, {input, value_});
  }
  void operator()(const Dropout& /*layer*/) {}
  void operator()(const Flatten& /*layer*/) {}
  void operator()(const DropPath& /*layer*/) {}
  void operator()(const DropTokens& /*layer*/) {}
  void operator()(const MaskToken& /*layer*/) {}
  void operator()(const Chain& chain) { Follow(chain.layers, name_ + "."); }
  void operator()(const Residual& residual) {
    const size_t input = value_;
    Follow(residual.layers, name_ + ".");
    const size_t output = std::exchange(value_, input);
    Follow(residual.shortcut, name_ + ".");
    Meet(Join::kAdd, {output, value_});
  }
  void operator()(const Graph& graph) {
    const std::string prefix = name_ + ".";
    std::vector<size_t> values = {value_};
    for (const Call& call : graph.calls) {
      if (const auto* const layer = std::get_if<size_t>(&call.what)) {
        value_ = values[call.inputs.front()];
        Follow({&graph.layers[*layer], 1}, prefix);
      } else {
        std::vector<size_t> inputs;
        for (const size_t input : call.inputs) inputs.push_back(values[input]);
        Meet(std::get<Join>(call.what), std::move(inputs));
      }
      values.push_back(value_);
    }
  }
  template <typename Kind>
  void operator()(const Kind& layer) {
    Apply(kKindNames[LayerKind(layer).index()], layer);
  }

  // By value: `prefix` is made of name_.
  size_t Follow(std::span<const Layer> layers, std::string prefix) {  // NOLINT
    for (const Layer& layer : layers) {
      const std::string outer = std::exchange(name_, prefix + layer.name);
      std::visit(*this, layer.kind);
      name_ = outer;
    }
    return value_;
  }

 private:
  template <typename Kind>
  void Apply(std::string_view name, Kind layer,  // Fields() takes what a reader could change
             std::span<const std::string_view> tensors = kTensors) {
    TextWriter writer;
    Fields(writer, layer);
    value_ = result_({.what = fmt::format("{}{}", name, writer.text()),
                      .layer = name_,
                      .tensors = tensors,
                      .inputs = {value_}});
  }
  void Meet(Join join, std::vector<size_t> inputs) {
    // Their order changes nothing.
    if (join == Join::kAdd || join == Join::kMultiply) std::sort(inputs.begin(), inputs.end());
    value_ = result_({.what = std::string(kJoinNames[static_cast<size_t>(join)]),
                      .layer = {},
                      .tensors = {},
                      .inputs = std::move(inputs)});
  }

  Result result_;
  size_t value_ = 0;
  std::string name_;  // of the layer at hand
};

}  // namespace

Census CensusOf(const Description& description) {
  Census census;
  Follower follower([&census](const Operation& operation) {
    ++census[operation.what];
    return size_t{0};
  });
  follower.Follow(description.layers, "");
  return census;
}

size_t Computations::Of(const Description& description, const TensorContents& contents) {
  Follower follower([&](const Operation& operation) {
    std::string text = operation.what;
    for (const std::string_view tensor : operation.tensors) {
      const auto found = contents.find(fmt::format("{}{}", operation.layer, tensor));
      if (found != contents.end()) text += fmt::format(" {} {}", tensor, found->second);
    }
    for (const size_t input : operation.inputs) text += fmt::format(" of {}", input);
    return known_.try_emplace(std::move(text), known_.size() + 1).first->second;
  });
  return follower.Follow(description.layers, "");
}

}  // namespace facegate::network
