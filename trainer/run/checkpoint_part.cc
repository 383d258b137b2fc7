#include "trainer/run/checkpoint_part.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <utility>

#include "trainer/learn/checkpoint.h"

namespace facegate {
namespace {

bool HasPart(const TensorMap& state, const std::string& part) {
  const auto first = state.lower_bound(part + ".");
  return first != state.end() && first->first.starts_with(part + ".");
}

}  // namespace

const std::vector<std::string>& CheckpointPartNames() {
  static const std::vector<std::string> names = {"backbone", "average", "head", "margin",
                                                 "optimizer"};
  return names;
}

bool HoldsTraining(const Safetensors& file) { return IsCheckpoint(file.metadata); }

StatusOr<TensorMap> TakePart(TensorMap& state, const std::string& part) {
  if (!HasPart(state, part)) {
    std::vector<std::string> there;
    for (const std::string& name : CheckpointPartNames()) {
      if (HasPart(state, name)) there.push_back(name);
    }
    return InvalidArgument(
        fmt::format("the checkpoint has no part {}, it has {}", part, fmt::join(there, ", ")));
  }
  const std::string prefix = part + ".";
  TensorMap taken;
  for (auto it = state.lower_bound(prefix); it != state.end() && it->first.starts_with(prefix);) {
    const auto next = std::next(it);
    auto node = state.extract(it);
    node.key().erase(0, prefix.size());
    taken.insert(std::move(node));
    it = next;
  }
  return taken;
}

}  // namespace facegate
