#include "trainer/command/inspect_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "face/embed/torch/torch_embedder.h"
#include "face/image/align.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/ordered_work.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr size_t kBatch = 32;  // photos that are read and embedded at once

struct Crops {
  std::vector<size_t> photos;
  std::vector<AlignedFace> faces;
};

Crops ReadCrops(const PhotoSource& source, size_t begin, AlignmentTemplate alignment) {
  Crops crops;
  for (size_t i = begin; i < std::min(begin + kBatch, source.size()); ++i) {
    if (source.label(i) == Dataset::kUnlabelled) continue;
    const StatusOr<std::string> bytes = source.Read(i);
    if (!bytes.ok()) continue;
    const StatusOr<cv::Mat> picture = DecodeTrainingPhoto(*bytes);
    if (!picture.ok()) continue;
    std::optional<cv::Mat> crop = CropIn(*picture, alignment);
    if (!crop.has_value()) continue;
    crops.photos.push_back(i);
    crops.faces.push_back({.bgr = *std::move(crop)});
  }
  return crops;
}

Status Append(Embedder& embedder, const Crops& crops, LabelledEmbeddings& to) {
  const auto most = static_cast<size_t>(embedder.max_batch());
  for (size_t begin = 0; begin < crops.faces.size(); begin += most) {
    const auto part =
        std::span(crops.faces).subspan(begin, std::min(most, crops.faces.size() - begin));
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<Embedding> embeddings, embedder.Embed(part));
    for (const Embedding& one : embeddings) {
      to.rows.insert(to.rows.end(), one.values().begin(), one.values().end());
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<SetReport::ModelView> ViewByModel(const std::string& model, const PhotoSource& source,
                                           int threads) {
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<Embedder> embedder,
                            LoadTorchEmbedder(model, {.threads = threads}));
  const AlignmentTemplate alignment = embedder->card().preprocessing.alignment;
  LabelledEmbeddings set{.width = static_cast<size_t>(embedder->card().embedding_size),
                         .identities = source.classes().size()};
  std::vector<size_t> photos;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  ProgressBar embedding(std::cerr, terminal, "photos embedded", source.size());
  const auto make = [&](size_t batch) -> StatusOr<Crops> {
    return ReadCrops(source, batch * kBatch, alignment);
  };
  const auto take = [&](size_t batch, const Crops& crops) -> Status {
    FACEGATE_RETURN_IF_ERROR(Append(*embedder, crops, set));
    for (const size_t photo : crops.photos) {
      photos.push_back(photo);
      set.labels.push_back(source.label(photo));
    }
    const size_t count = std::min(kBatch, source.size() - batch * kBatch);
    for (size_t i = 0; i < count; ++i) embedding.Advance();
    return OkStatus();
  };
  const Status read = OrderedWork<Crops>::Run((source.size() + kBatch - 1) / kBatch, threads,
                                              2 * static_cast<size_t>(threads), make, take);
  embedding.Finish();
  FACEGATE_RETURN_IF_ERROR(read);
  if (photos.size() < 2) {
    const cv::Size size = CropSize(alignment);
    return InvalidArgument(
        fmt::format("{} of {} photos are crops of {} x {} as {} takes them; facegate-train align "
                    "makes them",
                    photos.size(), source.size(), size.width, size.height, model));
  }
  ProgressBar comparing(std::cerr, terminal, "photos compared", 2 * photos.size());
  StatusOr<LabelNoise> noise = FindLabelNoise(set, [&] { comparing.Advance(); });
  comparing.Finish();
  if (!noise.ok()) return noise.status();
  for (DoubtedLabel& one : noise->doubted) one.photo = photos[one.photo];
  for (MixedIdentity& one : noise->mixed) {
    for (size_t& photo : one.smaller) photo = photos[photo];
  }
  return SetReport::ModelView{
      .model = model, .noise = *std::move(noise), .compared = photos.size()};
}

}  // namespace facegate
