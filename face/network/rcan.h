#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "face/network/description.h"
#include "face/network/tensor_shapes.h"

// RCAN (Zhang et al. 2018, arXiv:1807.02758) makes pictures larger: groups of residual blocks, each
// with a gate for every channel, at the small size, then pixel shuffles. It is no backbone: what it
// gives is a picture of 3 channels.
namespace facegate::network {

// The tensors of the original (yulunzhang/RCAN) have the names of the layers here. kPlain is
// yjn870/RCAN-pytorch and SNU_FaceRecognition: the same layers under other names.
enum class RcanNaming { kOriginal, kPlain };

struct RcanShape {
  int64_t groups = 10;
  int64_t blocks = 20;  // of each group
  int64_t features = 64;
  int64_t reduction = 16;  // of the gates
  int64_t scale = 4;       // a power of two up to 8, or 3
  // The original begins and ends with 1×1 convolutions that take the mean colour away and add it
  // again.
  bool means = false;
  Sides input = {.height = 28, .width = 28};  // pixels; the tensors do not depend on it
  bool operator==(const RcanShape&) const = default;
};

// `outputs` counts the numbers of the picture that it gives. It takes and gives RGB.
Description Rcan(const RcanShape& shape);

// The name of a tensor of Rcan() in a state dict of that naming.
std::string RcanTensorName(std::string_view tensor, const RcanShape& shape, RcanNaming naming);

// What numbers of layers the names and shapes of tensors say; nothing where they are no such
// network's. Whether all tensors are there is for the caller to compare.
std::optional<RcanShape> FindRcan(const TensorShapes& shapes, RcanNaming naming);

// The tensor by which a state dict of that naming is recognised.
std::string_view RcanTelltale(RcanNaming naming);

}  // namespace facegate::network
