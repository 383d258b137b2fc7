#pragma once

#include <map>
#include <string>

#include "face/base/status.h"
#include "face/image/landmark_weights.h"

namespace facegate {

// What is known of the weights: texts by name, such as "training_data" or "held_out_median".
using LandmarkCard = std::map<std::string, std::string>;

// Reads the weights of a landmark network: a safetensors file (of at most 4 MiB) with the metadata
// "kind" = "facegate-landmarks-1" and floating-point tensors of 16 or 32 bits. kInvalidArgument,
// naming the file, for anything else and for numbers that are not finite; kNotFound when it is
// absent. That the tensors are those of the network is checked where it is built.
StatusOr<LandmarkWeights> ReadLandmarkWeights(const std::string& path);

// The same of the bytes of a file; `name` is what errors call it.
StatusOr<LandmarkWeights> ParseLandmarkWeights(const std::string& bytes, const std::string& name);

// Writes such a file atomically, with the card and the digest of the tensors (ModelDigest()) in its
// metadata and numbers of 16 bits.
// kInvalidArgument, and nothing is written, where a number does not fit.
Status WriteLandmarkWeights(const std::string& path, const LandmarkWeights& weights,
                            const LandmarkCard& card);

// The weights as they come back from a file that they are written to.
StatusOr<LandmarkWeights> RoundedAsInFile(const LandmarkWeights& weights);

}  // namespace facegate
