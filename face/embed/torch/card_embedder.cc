#include "face/embed/torch/card_embedder.h"

#ifdef FACEGATE_GPU

#include <fmt/format.h>

#include <opencv2/core.hpp>
#include <span>
#include <utility>
#include <vector>

#include "face/image/preprocessing.h"
#include "face/network/description_json.h"
#include "face/torch/cuda/card_network.h"
#include "face/torch/loaded_backbone.h"
#include "face/torch/tensor_conversion.h"

namespace facegate {
namespace {

torch::ScalarType TypeOf(Precision precision) {
  if (precision == Precision::kFp16) return torch::kHalf;
  return precision == Precision::kBf16 ? torch::kBFloat16 : torch::kFloat;
}

class CardEmbedder : public Embedder {
 public:
  CardEmbedder(ModelCard card, Compute compute, std::unique_ptr<CardNetwork> network)
      : card_(std::move(card)), compute_(std::move(compute)), network_(std::move(network)) {}

  const ModelCard& card() const override { return card_; }
  const Compute& compute() const override { return compute_; }
  int max_batch() const override { return network_->max_faces(); }
  int passes() const override { return network_->passes(); }
  Status Health() const override { return network_->Health(); }
  StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) override;

 private:
  const ModelCard card_;
  const Compute compute_;
  const std::unique_ptr<CardNetwork> network_;
};

StatusOr<std::vector<Embedding>> CardEmbedder::Embed(std::span<const AlignedFace> faces) {
  if (faces.empty() || faces.size() > static_cast<size_t>(max_batch())) {
    return InvalidArgument(
        fmt::format("{} faces in one call, expected 1 to {}", faces.size(), max_batch()));
  }
  std::vector<cv::Mat> inputs;  // keeps the pixels of those that were letterboxed
  std::vector<CropPixels> crops;
  inputs.reserve(faces.size());
  crops.reserve(faces.size());
  for (const AlignedFace& face : faces) {
    FACEGATE_ASSIGN_OR_RETURN(cv::Mat input, InputPixels(face, card_.preprocessing));
    inputs.push_back(std::move(input));
    crops.push_back({.first = inputs.back().data, .row_bytes = inputs.back().step[0]});
  }
  const auto size = static_cast<size_t>(card_.embedding_size);
  std::vector<float> vectors(faces.size() * size);
  FACEGATE_RETURN_IF_ERROR(network_->Embed(crops, vectors));
  std::vector<Embedding> embeddings;
  embeddings.reserve(faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    const auto values = std::span(vectors).subspan(i * size, size);
    auto embedding = Embedding::FromUnit({values.begin(), values.end()});
    if (!embedding.ok()) {
      return Internal(fmt::format("the network's output for a face is not an embedding: {}",
                                  MessageOf(embedding.status())));
    }
    embeddings.push_back(*std::move(embedding));
  }
  return embeddings;
}

}  // namespace

StatusOr<std::unique_ptr<Embedder>> MakeCardEmbedder(const ModelFile& file, const Device& device,
                                                     Precision precision,
                                                     const EmbedderOptions& options) {
  // The modules check the weights, and convert them to fp32.
  FACEGATE_ASSIGN_OR_RETURN(const auto description, NetworkOf(file.card));
  FACEGATE_ASSIGN_OR_RETURN(const auto backbone, LoadBackbone(description, file.tensors));
  FACEGATE_ASSIGN_OR_RETURN(const TensorMap tensors, StateDict(*backbone));
  FACEGATE_ASSIGN_OR_RETURN(const auto plan, network::PlanInference(description, tensors));
  const Preprocessing& preprocessing = file.card.preprocessing;
  FACEGATE_ASSIGN_OR_RETURN(
      auto network, CardNetwork::Create(plan,
                                        {.rgb = preprocessing.colour_order == ColourOrder::kRgb,
                                         .mean = preprocessing.mean,
                                         .scale = preprocessing.scale,
                                         .views = preprocessing.mirror_average ? 2 : 1},
                                        {.card = device.card,
                                         .type = TypeOf(precision),
                                         .tf32 = precision == Precision::kTf32,
                                         .max_faces = options.max_batch}));
  Compute compute{.device = device.name(),
                  .device_name = device.card_name,
                  .precision = std::string(PrecisionName(precision))};
  return std::make_unique<CardEmbedder>(file.card, std::move(compute), std::move(network));
}

}  // namespace facegate

#else

namespace facegate {

StatusOr<std::unique_ptr<Embedder>> MakeCardEmbedder(const ModelFile& /*file*/,
                                                     const Device& device, Precision /*precision*/,
                                                     const EmbedderOptions& /*options*/) {
  return FailedPrecondition(device.name() + ": this build is for CPUs alone");
}

}  // namespace facegate

#endif
