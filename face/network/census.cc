#include "face/network/census.h"

#include <fmt/format.h>

#include <initializer_list>
#include <string_view>
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

class Counter {
 public:
  explicit Counter(Census& census) : census_(census) {}

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
    Count("batch norm", layer);
  }
  void operator()(const ChannelAffine& layer) {
    if (layer.weight) Count("factors", PRelu{layer.channels});
    if (layer.bias) Count("summands", PRelu{layer.channels});
  }
  void operator()(const Subsample& layer) {
    if (layer.stride == 1) return;
    (*this)(MaxPool{
        {.kernel = {}, .stride = {layer.stride, layer.stride}, .dilation = {}, .padding = {}}});
  }
  void operator()(const ChannelGate& layer) {
    const int64_t squeezed = layer.channels / layer.reduction;
    (*this)(GlobalAverage{});
    (*this)(Convolution{{.in = layer.channels, .out = squeezed}});
    (*this)(Relu{});
    (*this)(Convolution{{.in = squeezed, .out = layer.channels}});
    (*this)(Sigmoid{});
    CountJoin(Join::kMultiply);
  }
  void operator()(const Dropout& /*layer*/) {}
  void operator()(const Flatten& /*layer*/) {}
  void operator()(const DropPath& /*layer*/) {}
  void operator()(const DropTokens& /*layer*/) {}
  void operator()(const MaskToken& /*layer*/) {}
  void operator()(const Chain& chain) { Follow(chain.layers); }
  void operator()(const Residual& residual) {
    Follow(residual.layers);
    Follow(residual.shortcut);
    CountJoin(Join::kAdd);
  }
  void operator()(const Graph& graph) {
    for (const Call& call : graph.calls) {
      if (const auto* const layer = std::get_if<size_t>(&call.what)) {
        std::visit(*this, graph.layers[*layer].kind);
      } else {
        CountJoin(std::get<Join>(call.what));
      }
    }
  }
  template <typename Kind>
  void operator()(const Kind& layer) {
    Count(kKindNames[LayerKind(layer).index()], layer);
  }

  void Follow(const std::vector<Layer>& layers) {
    for (const Layer& layer : layers) std::visit(*this, layer.kind);
  }

 private:
  template <typename Kind>
  void Count(std::string_view name, Kind layer) {  // Fields() takes what a reader could change
    TextWriter writer;
    Fields(writer, layer);
    ++census_[fmt::format("{}{}", name, writer.text())];
  }
  void CountJoin(Join join) { ++census_[std::string(kJoinNames[static_cast<size_t>(join)])]; }

  Census& census_;
};

}  // namespace

Census CensusOf(const Description& description) {
  Census census;
  Counter(census).Follow(description.layers);
  return census;
}

}  // namespace facegate::network
