#include "face/network/backbone_file.h"

#include <utility>

#include "face/weights/torch_pickle.h"

namespace facegate {
namespace {

// The group's own of `tensors`, without the prefix in front of their names.
FoundBackbone Found(TensorMap& tensors, BackboneGroup group) {
  FoundBackbone found;
  for (const std::string& name : group.names) {
    auto node = tensors.extract(name);
    node.key().erase(0, group.prefix.size());
    found.tensors.insert(std::move(node));
  }
  found.network = std::move(group.network);
  found.remarks = std::move(group.remarks);
  found.left = std::move(group.left);
  return found;
}

}  // namespace

StatusOr<FoundBackbone> ParseBackbone(std::string_view bytes, const BackboneWish& wish) {
  BackboneGroup group;
  const ChooseTensors choose =
      [&](const std::vector<StateDictShapes>& dicts) -> StatusOr<TensorChoice> {
    FACEGATE_ASSIGN_OR_RETURN(group, FindBackbone(dicts, wish));
    return TensorChoice{.dict = group.dict, .names = group.names};
  };
  FACEGATE_ASSIGN_OR_RETURN(TensorMap tensors, ParseTorchPickle(bytes, choose));
  return Found(tensors, std::move(group));
}

StatusOr<FoundBackbone> TakeBackbone(TensorMap& tensors, const BackboneWish& wish) {
  StateDictShapes shapes;
  for (const auto& [name, tensor] : tensors) {
    shapes.tensors.emplace(name, Tensor{.dtype = tensor.dtype, .shape = tensor.shape, .bytes = {}});
  }
  FACEGATE_ASSIGN_OR_RETURN(BackboneGroup group, FindBackbone({shapes}, wish));
  return Found(tensors, std::move(group));
}

}  // namespace facegate
