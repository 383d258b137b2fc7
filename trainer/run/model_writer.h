#pragma once

#include <string>

#include "face/base/status.h"
#include "face/weights/model_file.h"

namespace facegate {

// Makes a model file of weights and a card: checks the embedding size, runs the network for the
// canary, fills in the digests, writes beside `path`, loads what was written again as a server
// would, and only then puts it in place: an older model there is replaced by one that works, or
// stays. A calibration of other weights or another preprocessing is dropped. Returns the finished
// card.
StatusOr<ModelCard> WriteProvenModel(const std::string& path, ModelFile file);

// Rounds the weights of convolutions and linear layers to 16 bits; what has one dimension (batch
// norms, biases, slopes) stays. kInvalidArgument, naming the tensor, where a number does not fit.
Status RoundToHalf(TensorMap& tensors);

// Mixes the weights of two models of one network: 1 - share of `tensors`, which becomes the mix,
// and `share` (0..1) of `other`. Where one continued the training of the other, the mix often keeps
// what the first could and most of what the second learned (Wortsman et al., "Robust fine-tuning of
// zero-shot models", 2022). Whole numbers stay. kInvalidArgument, naming the tensor, where names or
// shapes differ.
Status MixWeights(const TensorMap& other, double share, TensorMap& tensors);

}  // namespace facegate
