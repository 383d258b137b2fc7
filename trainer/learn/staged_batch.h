#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "face/network/description.h"
#include "trainer/learn/card.h"
#include "trainer/photos/loader.h"

namespace facegate {

// The opinion of a teacher of the pictures of a batch; empty where there is none.
struct TeacherTargets {
  std::span<const float> embeddings{};  // batch x embedding size
  // There is one for each map of the backbone (Chain::ForwardWithMaps()), batch x channels x height
  // x width in C order; none where maps have no weight.
  std::vector<std::span<const float>> maps{};
};

// A batch as a step reads it: tensors where the network computes. On the CPU they show the memory
// of what they were made from, which outlives them.
struct StagedBatch {
  torch::Tensor input{};   // N x channels x height x width
  torch::Tensor labels{};  // N, int64
  // Places in the batch, ascending: of photos with labels, of labelled ones that are degraded, and
  // of those that are not degraded. Undefined: all photos are labelled; none is degraded.
  torch::Tensor labelled{};
  torch::Tensor strangers{};
  torch::Tensor whole{};
  // A teacher's, in the order of their numbers in C; undefined and empty without one.
  torch::Tensor taught{};
  std::vector<torch::Tensor> taught_maps{};

  int64_t count() const { return labels.defined() ? labels.size(0) : 0; }
  // True where all photos are labelled and none is degraded: then shapes are those of any such
  // batch of as many photos.
  bool is_plain() const { return !labelled.defined() && !whole.defined(); }

  // All tensors, the same ones in the same order for each batch of as many maps.
  std::vector<torch::Tensor*> tensors();
};

// Shows a batch of crops of that kind, and what a teacher says of it, as tensors on the CPU.
StagedBatch ShowBatch(const Batch& batch, const network::Input& input);
void ShowTargets(const TeacherTargets& targets, StagedBatch& batch);

// A batch on its way to a card.
struct ShippedBatch {
  StagedBatch batch{};
  Shipment shipment{};
};

// Begins to copy a batch to the card.
ShippedBatch ShipBatch(StagedBatch batch, Card& card);

}  // namespace facegate
