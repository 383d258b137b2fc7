#include "trainer/learn/staged_batch.h"

#include <algorithm>
#include <utility>

#include "face/torch/backbone.h"

namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

// The step reads them alone; the cast takes away a const that LibTorch has no word for.
template <typename Number>
TorchTensor Shown(std::span<const Number> values, torch::IntArrayRef sizes,
                  torch::ScalarType type) {
  return torch::from_blob(const_cast<Number*>(values.data()), sizes, type);
}

TorchTensor Places(const Batch& batch, bool (*has)(const Batch&, size_t)) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    if (has(batch, i)) places.push_back(static_cast<int64_t>(i));
  }
  return torch::tensor(places, torch::kInt64);
}

bool IsLabelled(const Batch& batch, size_t i) { return batch.labels[i] >= 0; }
bool IsDegraded(const Batch& batch, size_t i) {
  return i < batch.degraded.size() && batch.degraded[i];
}

}  // namespace

std::vector<torch::Tensor*> StagedBatch::tensors() {
  std::vector<torch::Tensor*> all = {&input, &labels, &labelled, &strangers, &whole, &taught};
  for (torch::Tensor& map : taught_maps) all.push_back(&map);
  return all;
}

StagedBatch ShowBatch(const Batch& batch, const network::Input& input) {
  const auto count = static_cast<int64_t>(batch.labels.size());
  StagedBatch staged;
  staged.input =
      Shown<float>(batch.pixels, {count, input.channels, input.height, input.width}, torch::kFloat);
  staged.labels = Shown<int64_t>(batch.labels, {count}, torch::kInt64);
  const auto any = [&](const auto& has) {
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      if (has(batch, i)) return true;
    }
    return false;
  };
  if (any([](const Batch& one, size_t i) { return !IsLabelled(one, i); })) {
    staged.labelled = Places(batch, IsLabelled);
  }
  if (any(IsDegraded)) {
    staged.strangers = Places(
        batch, [](const Batch& one, size_t i) { return IsLabelled(one, i) && IsDegraded(one, i); });
    staged.whole = Places(batch, [](const Batch& one, size_t i) { return !IsDegraded(one, i); });
  }
  return staged;
}

void ShowTargets(const TeacherTargets& targets, StagedBatch& batch) {
  const auto shown = [](std::span<const float> values) {
    return Shown<float>(values, {static_cast<int64_t>(values.size())}, torch::kFloat);
  };
  if (!targets.embeddings.empty()) batch.taught = shown(targets.embeddings);
  for (const std::span<const float> map : targets.maps) batch.taught_maps.push_back(shown(map));
}

ShippedBatch ShipBatch(StagedBatch batch, Card& card) {
  std::vector<TorchTensor> tensors;
  for (const TorchTensor* const tensor : batch.tensors()) tensors.push_back(*tensor);
  ShippedBatch shipped{.batch = std::move(batch), .shipment = card.Ship(tensors)};
  const std::vector<TorchTensor*> places = shipped.batch.tensors();
  for (size_t i = 0; i < places.size(); ++i) *places[i] = shipped.shipment.tensors[i];
  return shipped;
}

}  // namespace facegate
