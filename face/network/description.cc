#include "face/network/description.h"

#include <utility>

namespace facegate::network {

Chain Sequence(std::vector<LayerKind> kinds) {
  Chain chain;
  chain.layers.reserve(kinds.size());
  for (LayerKind& kind : kinds) {
    chain.layers.push_back({std::to_string(chain.layers.size()), std::move(kind)});
  }
  return chain;
}

}  // namespace facegate::network
