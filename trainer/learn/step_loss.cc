#include "trainer/learn/step_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "trainer/learn/autocast.h"
#include "trainer/learn/losses.h"
#include "trainer/learn/split_softmax.h"
#include "trainer/parallel/shared_operators.h"

namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

TorchTensor AtLeastFloat(const TorchTensor& tensor) {
  return tensor.scalar_type() == torch::kDouble ? tensor : tensor.to(torch::kFloat);
}

}  // namespace

TorchTensor InMemoryOrder(const TorchTensor& input, bool channels_last) {
  return channels_last ? input.contiguous(at::MemoryFormat::ChannelsLast) : input;
}

double StepLoss::strength(int64_t batches) const {
  if (options_.margin_warmup == 0) return 1.0;
  return std::min(1.0, static_cast<double>(batches) / static_cast<double>(options_.margin_warmup));
}

TorchTensor StepLoss::Forward(const TorchTensor& input, std::vector<TorchTensor>* maps) {
  const AutocastScope scope(input.device().type(), NarrowType(options_.precision));
  const TorchTensor ordered = InMemoryOrder(input, options_.channels_last);
  return AtLeastFloat(maps == nullptr ? backbone_->forward(ordered)
                                      : backbone_->ForwardWithMaps(ordered, *maps));
}

TorchTensor StepLoss::LabelledLoss(const TorchTensor& embeddings, const TorchTensor& labels,
                                   int64_t batches, StepNumbers& numbers) {
  const double strength = this->strength(batches);
  if (group_ != nullptr) {
    return SplitLoss(head_->Forward(RowsOfAll(embeddings, *group_), RowsOfAll(labels, *group_),
                                    batches, strength),
                     numbers);
  }
  const HeadOutput output = head_->Forward(embeddings, labels, batches, strength);
  TorchTensor loss = ClassificationLoss(output.logits, output.labels, options_.loss);
  if (output.added_loss.defined()) loss = loss + output.added_loss;
  numbers.accuracy = (output.cosines.argmax(1) == output.labels).to(torch::kFloat).mean();
  return loss;
}

TorchTensor StepLoss::SplitLoss(const HeadOutput& output, StepNumbers& numbers) const {
  TorchTensor loss = SplitClassificationLoss(output, options_.head.classes, options_.loss, *group_);
  if (output.added_loss.defined()) loss = loss + output.added_loss;
  numbers.accuracy = SplitAccuracy(output, *group_);
  return loss;
}

TorchTensor StepLoss::LikenessOf(const TorchTensor& embeddings, const StagedBatch& batch) const {
  const TorchTensor none =
      torch::empty({0}, torch::TensorOptions(torch::kInt64).device(embeddings.device()));
  const TorchTensor strangers = batch.strangers.defined() ? batch.strangers : none;
  return LikenessLoss(embeddings.index_select(0, strangers),
                      batch.labels.index_select(0, strangers));
}

StatusOr<StepNumbers> StepLoss::Of(const StagedBatch& batch, int64_t batches) {
  StepNumbers numbers;
  std::vector<TorchTensor> maps;
  const TorchTensor embeddings = Forward(batch.input, batch.taught_maps.empty() ? nullptr : &maps);
  TorchTensor loss;
  if (!batch.labelled.defined()) {
    loss = LabelledLoss(embeddings, batch.labels, batches, numbers);
  } else if (batch.labelled.numel() > 0) {
    loss = LabelledLoss(embeddings.index_select(0, batch.labelled),
                        batch.labels.index_select(0, batch.labelled), batches, numbers);
  }
  if (options_.likeness > 0.0 && loss.defined()) {
    loss = loss + options_.likeness * LikenessOf(embeddings, batch);
  }
  if (batch.taught.defined()) {
    FACEGATE_ASSIGN_OR_RETURN(const TorchTensor taught,
                              TeacherLoss(embeddings, maps, batch, numbers));
    loss = loss.defined() ? loss + taught : taught;
  }
  numbers.loss = std::move(loss);
  return numbers;
}

StatusOr<TorchTensor> StepLoss::TeacherLoss(const TorchTensor& embeddings,
                                            std::span<const TorchTensor> maps,
                                            const StagedBatch& batch, StepNumbers& numbers) const {
  const TorchTensor distillation = DistillationLoss(embeddings, batch.taught.view_as(embeddings));
  numbers.distillation = distillation.detach();
  TorchTensor loss = options_.distillation * distillation;
  const bool none_whole = batch.whole.defined() && batch.whole.numel() == 0;
  if (batch.taught_maps.empty() || none_whole) return loss;
  if (maps.size() != batch.taught_maps.size()) {
    return InvalidArgument(fmt::format("the teacher gave {} maps, the network has {}",
                                       batch.taught_maps.size(), maps.size()));
  }
  TorchTensor sum = torch::zeros({}, embeddings.options());
  for (size_t i = 0; i < maps.size(); ++i) {
    const TorchTensor& taught = batch.taught_maps[i];
    if (taught.numel() != maps[i].numel()) {
      return InvalidArgument(fmt::format("the teacher's map {} has {} numbers, expected {}", i,
                                         taught.numel(), maps[i].numel()));
    }
    const auto chosen = [&](const TorchTensor& map) {
      return batch.whole.defined() ? map.index_select(0, batch.whole) : map;
    };
    sum = sum + MapLoss(chosen(maps[i].to(torch::kFloat)), chosen(taught.view(maps[i].sizes())));
  }
  const TorchTensor mean = sum / static_cast<double>(maps.size());
  numbers.map_distillation = mean.detach();
  return loss + options_.map_distillation * mean;
}

}  // namespace facegate
