#include "face/weights/pickle_value.h"

namespace facegate {

std::optional<int64_t> PickleGraph::Count(PickleRef ref) const {
  const auto* value = Get<int64_t>(ref);
  return value != nullptr && *value >= 0 ? std::optional(*value) : std::nullopt;
}

std::optional<std::vector<int64_t>> PickleGraph::Extents(PickleRef tuple) const {
  const auto* items = Get<PickleTuple>(tuple);
  if (items == nullptr) return std::nullopt;
  std::vector<int64_t> extents;
  extents.reserve(items->items.size());
  for (const PickleRef item : items->items) {
    const std::optional<int64_t> extent = Count(item);
    if (!extent) return std::nullopt;
    extents.push_back(*extent);
  }
  return extents;
}

}  // namespace facegate
