#pragma once

#include <map>
#include <string>

#include "face/base/status.h"
#include "face/weights/network_weights.h"

namespace facegate {

// The small networks that are built into the programs.
enum class NetworkKind { kLandmarks, kQuality };

// The facts known of the weights: texts by name, such as "training_data" or "held_out_median".
using NetworkCard = std::map<std::string, std::string>;

// Reads the weights of a network: a safetensors file (of at most 4 MiB) with the metadata "kind" =
// "facegate-landmarks-1" or "facegate-quality-1" and floating-point tensors of 16 or 32 bits.
// kInvalidArgument, naming the file, for anything else and for numbers that are not finite;
// kNotFound when it is absent. That the tensors are those of the network is checked where it is
// built.
StatusOr<NetworkWeights> ReadNetworkWeights(const std::string& path, NetworkKind kind);

// The same of the bytes of a file; `name` is what errors call it.
StatusOr<NetworkWeights> ParseNetworkWeights(const std::string& bytes, const std::string& name,
                                             NetworkKind kind);

// Writes such a file atomically, with the card and the digest of the tensors (ModelDigest()) in its
// metadata and numbers of 16 bits.
// kInvalidArgument, and nothing is written, where a number does not fit.
Status WriteNetworkWeights(const std::string& path, const NetworkWeights& weights, NetworkKind kind,
                           const NetworkCard& card);

// The weights as they come back from a file that they are written to.
StatusOr<NetworkWeights> RoundedAsInFile(const NetworkWeights& weights);

}  // namespace facegate
