#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

// True for a file that begins as HDF5's do (HDF5 File Format Specification, II.A).
bool LooksLikeH5(std::string_view bytes);

// The datasets of 32-bit floats in an HDF5 file by their paths, such as "conv1/conv1/kernel:0" (no
// "/" in front), in the groups that hard links lead to. Datasets of other types are left out.
// kInvalidArgument for what is no HDF5 file; for datasets that are not stored as one piece in it,
// uncompressed, as Keras stores them; for more than 20,000 links, 16 levels of groups or 8
// dimensions, and for numbers that together have more bytes than the file.
StatusOr<TensorMap> ParseH5(std::string_view bytes);

}  // namespace facegate
