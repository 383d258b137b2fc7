#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/rcan.h"
#include "face/weights/weights.h"

namespace facegate {

// An RCAN out of a file that may hold more.
struct FoundRcan {
  network::RcanShape shape;
  TensorMap tensors;              // under the names of network::Rcan()
  std::vector<std::string> left;  // names of the other tensors beside it
};

// The RCAN in a file of torch.save, in any dict, under any prefix and in either naming. Errors are
// those of ParseTorchPickle(), and kInvalidArgument where there is none, or where several fit.
StatusOr<FoundRcan> ParseRcan(std::string_view bytes);

// The RCAN among `tensors`, which are moved out of there; on an error they stay.
StatusOr<FoundRcan> TakeRcan(TensorMap& tensors);

// The pixels that it takes and gives are of 0 to this: 255 where the mean colours that it takes
// away say so, else 1.
double LargestPixelOf(const FoundRcan& found);

}  // namespace facegate
