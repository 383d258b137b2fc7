#include "face/torch/loaded_backbone.h"

#include "face/network/shape_map.h"
#include "face/torch/tensor_conversion.h"

namespace facegate {

StatusOr<std::shared_ptr<Backbone>> LoadBackbone(const network::Description& description,
                                                 const TensorMap& tensors) {
  FACEGATE_RETURN_IF_ERROR(CheckShapes(ShapesOf(description), tensors));
  FACEGATE_ASSIGN_OR_RETURN(std::shared_ptr<Backbone> backbone, CreateBackbone(description));
  FACEGATE_RETURN_IF_ERROR(LoadWeights(tensors, *backbone));
  return backbone;
}

}  // namespace facegate
