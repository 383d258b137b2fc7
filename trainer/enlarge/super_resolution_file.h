#pragma once

#include <map>
#include <string>

#include "face/base/status.h"
#include "face/network/rcan.h"
#include "face/weights/weights.h"

namespace facegate {

// A network of super-resolution as its file has it: a .safetensors with the tensors of
// network::Rcan(), and in its metadata "kind" = "facegate-super-resolution-1", "digest"
// (ModelDigest() of the kind), "network" = "rcan", "colour" = "rgb", "largest_pixel" = "1" or
// "255"; for people "scale", "groups", "blocks", "features" and "reduction"; and what else is
// known, such as "origin".
struct SuperResolutionFile {
  network::RcanShape shape;
  TensorMap tensors;
  double largest_pixel = 1.0;  // pixels of 0 to this go in and come out
  std::map<std::string, std::string> facts;
};

// kInvalidArgument, naming the file, for one of another kind, with another digest or of more than
// 1 GiB; the shape is found by the tensors and compared with all of them.
StatusOr<SuperResolutionFile> ReadSuperResolutionFile(const std::string& path);

// Writes such a file atomically; `facts` are kept beside those that the rest says.
Status WriteSuperResolutionFile(const std::string& path, SuperResolutionFile file);

}  // namespace facegate
