#include "face/model/torch_embedder.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <span>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/image/preprocessing.h"
#include "face/model/architecture.h"
#include "face/model/backbone.h"
#include "face/model/canary.h"
#include "face/model/frozen_network.h"
#include "face/model/tensor_conversion.h"

namespace facegate {
namespace {

constexpr int kMostFaces = 256;
constexpr int kMostThreads = 1024;
// More rows in one pass are no faster on a CPU and soon slower: the C library returns blocks of the
// activations' size to the system after each use (800 page faults a face at 16 rows of
// MobileFaceNet, none below 8). oneDNN also keeps only 1,024 compiled operators, some 40 for each
// number of rows.
constexpr int kCpuRows = 8;

Status CheckOptions(const TorchEmbedderOptions& options) {
  if (options.max_batch < 1 || options.max_batch > kMostFaces) {
    return InvalidArgument(
        fmt::format("max_batch is {}, expected 1 to {}", options.max_batch, kMostFaces));
  }
  if (options.threads < 0 || options.threads > kMostThreads) {
    return InvalidArgument(
        fmt::format("threads is {}, expected 0 (one a core) to {}", options.threads, kMostThreads));
  }
  return OkStatus();
}

// Whether the card describes a network that this program has.
Status CheckCard(const ModelCard& card) {
  FACEGATE_ASSIGN_OR_RETURN(const int embedding_size, EmbeddingSizeOf(card.architecture));
  if (card.embedding_size != embedding_size) {
    return InvalidArgument(fmt::format("the card's embedding size is {}, {} gives {}",
                                       card.embedding_size, card.architecture, embedding_size));
  }
  const Preprocessing& input = card.preprocessing;
  constexpr auto kSide = static_cast<int>(Backbone::kInputSide);
  if (input.input_width != kSide || input.input_height != kSide) {
    return InvalidArgument(fmt::format("the card's input is {}x{} pixels, {} takes {}x{}",
                                       input.input_width, input.input_height, card.architecture,
                                       kSide, kSide));
  }
  return OkStatus();
}

int ThreadsOf(const TorchEmbedderOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostThreads);
}

class TorchEmbedder : public Embedder {
 public:
  TorchEmbedder(ModelCard card, int max_batch, int rows_per_pass,
                std::unique_ptr<FrozenNetwork> network)
      : card_(std::move(card)),
        max_batch_(max_batch),
        views_(card_.preprocessing.mirror_average ? 2 : 1),
        faces_per_pass_(std::max(1, rows_per_pass / views_)),
        network_(std::move(network)) {}

  const ModelCard& card() const override { return card_; }
  int max_batch() const override { return max_batch_; }
  StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) override;

  // Runs each number of rows that can occur, so that no later call pays for a first time.
  Status WarmUp();

 private:
  // Rows view·i to view·i + views - 1 belong to face i: the crop, then its mirror image.
  StatusOr<torch::Tensor> MakeInput(std::span<const AlignedFace> faces) const;
  Status EmbedPass(std::span<const AlignedFace> faces, std::vector<Embedding>& embeddings) const;

  const ModelCard card_;
  const int max_batch_;
  const int views_;           // rows of one face
  const int faces_per_pass_;  // through the network at once
  const std::unique_ptr<const FrozenNetwork> network_;
};

StatusOr<std::vector<Embedding>> TorchEmbedder::Embed(std::span<const AlignedFace> faces) {
  if (faces.empty() || faces.size() > static_cast<size_t>(max_batch_)) {
    return InvalidArgument(
        fmt::format("{} faces in one call, expected 1 to {}", faces.size(), max_batch_));
  }
  return CatchToStatus("embedding faces", [&]() -> StatusOr<std::vector<Embedding>> {
    std::vector<Embedding> embeddings;
    embeddings.reserve(faces.size());
    const auto step = static_cast<size_t>(faces_per_pass_);
    for (size_t begin = 0; begin < faces.size(); begin += step) {
      const auto part = faces.subspan(begin, std::min(step, faces.size() - begin));
      FACEGATE_RETURN_IF_ERROR(EmbedPass(part, embeddings));
    }
    return embeddings;
  });
}

Status TorchEmbedder::EmbedPass(std::span<const AlignedFace> faces,
                                std::vector<Embedding>& embeddings) const {
  FACEGATE_ASSIGN_OR_RETURN(const torch::Tensor input, MakeInput(faces));
  FACEGATE_ASSIGN_OR_RETURN(torch::Tensor raw, network_->Run(input));
  const int64_t count = static_cast<int64_t>(faces.size());
  if (raw.numel() != input.size(0) * card_.embedding_size) {
    return Internal(
        fmt::format("the network gave {} numbers for {} crops", raw.numel(), input.size(0)));
  }
  raw = raw.view({count, views_, card_.embedding_size}).sum(1).contiguous();
  const auto size = static_cast<size_t>(card_.embedding_size);
  const std::span<const float> values(raw.data_ptr<float>(), faces.size() * size);
  for (size_t i = 0; i < faces.size(); ++i) {
    auto embedding = Embedding::Normalize(values.subspan(i * size, size));
    if (!embedding.ok()) {
      return Internal(fmt::format("the network's output for a face is no embedding: {}",
                                  MessageOf(embedding.status())));
    }
    embeddings.push_back(*std::move(embedding));
  }
  return OkStatus();
}

StatusOr<torch::Tensor> TorchEmbedder::MakeInput(std::span<const AlignedFace> faces) const {
  const Preprocessing& preprocessing = card_.preprocessing;
  const size_t floats = preprocessing.input_floats();
  const auto views = static_cast<size_t>(views_);
  torch::Tensor input = torch::empty({static_cast<int64_t>(faces.size() * views), 3,
                                      preprocessing.input_height, preprocessing.input_width});
  const std::span<float> rows(input.data_ptr<float>(), faces.size() * views * floats);
  for (size_t row = 0; row < faces.size() * views; ++row) {
    const bool mirrored = row % views == 1;
    FACEGATE_RETURN_IF_ERROR(WriteNetworkInput(faces[row / views], preprocessing, mirrored,
                                               rows.subspan(row * floats, floats)));
  }
  return input;
}

Status TorchEmbedder::WarmUp() {
  const auto most = std::min(max_batch_, faces_per_pass_);
  const auto faces = CanaryFaces(/*seed=*/1, most, card_.preprocessing.alignment);
  for (size_t count = 1; count <= faces.size(); ++count) {
    FACEGATE_RETURN_IF_ERROR(Embed(std::span(faces).first(count)).status());
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Embedder>> MakeTorchEmbedder(ModelFile file,
                                                      const TorchEmbedderOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  FACEGATE_RETURN_IF_ERROR(CheckCard(file.card));
  return CatchToStatus("loading a model", [&]() -> StatusOr<std::unique_ptr<Embedder>> {
    FACEGATE_ASSIGN_OR_RETURN(const torch::Device device, DeviceFromName(options.device));
    FACEGATE_ASSIGN_OR_RETURN(const auto backbone, CreateBackbone(file.card.architecture));
    FACEGATE_RETURN_IF_ERROR(LoadWeights(file.tensors, *backbone));
    file.tensors.clear();  // frees as much memory as the network takes
    FACEGATE_ASSIGN_OR_RETURN(auto network,
                              FrozenNetwork::Create(*backbone, device, ThreadsOf(options)));
    const int rows_per_pass = device.is_cpu() ? kCpuRows : 2 * kMostFaces;
    auto embedder = std::make_unique<TorchEmbedder>(file.card, options.max_batch, rows_per_pass,
                                                    std::move(network));
    if (auto status = embedder->WarmUp(); !status.ok()) return Annotate(status, "warming up");
    if (options.run_canary) FACEGATE_RETURN_IF_ERROR(CheckCanary(*embedder));
    return embedder;
  });
}

StatusOr<std::string> ResolveDevice(std::string_view device) {
  FACEGATE_ASSIGN_OR_RETURN(const torch::Device found, DeviceFromName(device));
  return std::string(found.is_cuda() ? "cuda" : "cpu");
}

StatusOr<std::unique_ptr<Embedder>> LoadTorchEmbedder(const std::string& path,
                                                      const TorchEmbedderOptions& options) {
  auto file = ReadModelFile(path);
  if (!file.ok()) return file.status();
  auto embedder = MakeTorchEmbedder(*std::move(file), options);
  if (!embedder.ok()) return Annotate(embedder.status(), path);
  return embedder;
}

}  // namespace facegate
