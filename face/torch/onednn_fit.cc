#include "face/torch/onednn_fit.h"

#include <algorithm>
#include <variant>

#include "face/network/output_shape.h"

namespace facegate {
namespace {

using network::Extents;
using network::Layer;

constexpr int64_t kPaddedTo = 16;  // channels

bool AllFit(const std::vector<Layer>& layers, Extents input);

struct Fits {
  bool operator()(const network::Clip& /*layer*/) const { return IsWhole(); }
  bool operator()(const network::Sigmoid& /*layer*/) const { return IsWhole(); }
  bool operator()(const network::Chain& chain) const { return AllFit(chain.layers, input); }
  bool operator()(const network::Residual& residual) const {
    return AllFit(residual.layers, input) && AllFit(residual.shortcut, input);
  }
  bool operator()(const network::Graph& graph) const {
    const auto values = network::ValuesOf(graph, input);
    return values.ok() &&
           std::all_of(graph.calls.begin(), graph.calls.end(), [&](const network::Call& call) {
             const auto* const layer = std::get_if<size_t>(&call.what);
             return layer == nullptr ||
                    std::visit(Fits{(*values)[call.inputs.front()]}, graph.layers[*layer].kind);
           });
  }
  template <typename Other>
  bool operator()(const Other& /*layer*/) const {
    return true;
  }

  bool IsWhole() const { return input.size() != 3 || input[0] % kPaddedTo == 0; }

  const Extents& input;
};

bool AllFit(const std::vector<Layer>& layers, Extents input) {
  for (const Layer& layer : layers) {
    if (!std::visit(Fits{input}, layer.kind)) return false;
    auto output = network::OutputOf(layer.kind, input);
    if (!output.ok()) return false;
    input = *std::move(output);
  }
  return true;
}

}  // namespace

bool FitsOneDnn(const network::Description& description) {
  const auto& [channels, height, width] = description.input;
  return AllFit(description.layers, {channels, height, width});
}

}  // namespace facegate
