#include "face/embed/torch/torch_embedder.h"

#include <fmt/format.h>
#include <malloc.h>
#include <torch/utils.h>

#include <algorithm>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/base/device.h"
#include "face/base/log.h"
#include "face/embed/canary.h"
#include "face/embed/device_fallback.h"
#include "face/embed/proven_embedder.h"
#include "face/embed/serving_precision.h"
#include "face/embed/shared_passes.h"
#include "face/embed/torch/card_embedder.h"
#include "face/embed/torch/raw_embedder.h"
#include "face/embed/yielding_embedder.h"
#include "face/image/preprocessing.h"
#include "face/network/description_json.h"
#include "face/torch/find_cuda.h"
#include "face/torch/frozen_network.h"
#include "face/torch/loaded_backbone.h"

namespace facegate {
namespace {

constexpr int kMostFaces = 256;
constexpr int kMostThreads = 1024;
// Where the options do not say.
constexpr int kCpuBatch = 8;
constexpr int kCardBatch = 128;
// More rows in one pass are no faster on a CPU: MobileFaceNet's activations leave the caches (5.5
// ms a row at 4 rows where 8 take 6 and 1 takes 6.5), and the large networks gain 3 % from 8.
// oneDNN also keeps only 1,024 compiled operators, some 40 for each number of rows.
constexpr int kCpuRows = 4;

Status CheckOptions(const EmbedderOptions& options) {
  if (options.max_batch < 0 || options.max_batch > kMostFaces) {
    return InvalidArgument(
        fmt::format("max_batch is {}, expected 1 to {}, or 0 (as the device likes)",
                    options.max_batch, kMostFaces));
  }
  if (options.threads < 0 || options.threads > kMostThreads) {
    return InvalidArgument(
        fmt::format("threads is {}, expected 0 (one a core) to {}", options.threads, kMostThreads));
  }
  return OkStatus();
}

// Activations are allocated and freed layer by layer. The C library begins with returning such
// blocks to the system each time, which takes a quarter of MobileFaceNet's time (1,000 page faults
// a face), and raises its limits only by and by, up to these. For the whole process; what is kept
// is used again for anything.
void KeepFreedMemory() {
#ifdef __GLIBC__
  // A refusal leaves it slower, nothing else.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

// Checks that the card describes a network that this program has.
Status CheckCard(const ModelCard& card) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network, NetworkOf(card));
  if (card.embedding_size != network.outputs) {
    return InvalidArgument(fmt::format("the card's embedding size is {}, {} gives {}",
                                       card.embedding_size, card.architecture, network.outputs));
  }
  const Preprocessing& input = card.preprocessing;
  const auto& [channels, height, width] = network.input;
  if (input.input_width != width || input.input_height != height) {
    return InvalidArgument(fmt::format("the card's input is {}x{} pixels, {} takes {}x{}",
                                       input.input_width, input.input_height, card.architecture,
                                       width, height));
  }
  if (input.channels() != channels) {
    return InvalidArgument(fmt::format("the card's input is in {}, {} takes {} channels",
                                       ColourOrderName(input.colour_order), card.architecture,
                                       channels));
  }
  return OkStatus();
}

EmbedderOptions WithBatch(EmbedderOptions options, int usual) {
  if (options.max_batch == 0) options.max_batch = usual;
  return options;
}

int ThreadsOf(const EmbedderOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostThreads);
}

struct Limits {
  int max_batch = 0;      // faces of one call
  int rows_per_pass = 0;  // through the network at once
  int threads = 0;        // of one call
};

// Says how the faces of one call go through the network.
struct Cut {
  size_t passes = 0;  // equally large, but for one face
  int threads = 0;    // of each pass
};

class TorchEmbedder : public RawEmbedder {
 public:
  TorchEmbedder(ModelCard card, Compute compute, const Limits& limits,
                std::unique_ptr<FrozenNetwork> network)
      : card_(std::move(card)),
        compute_(std::move(compute)),
        max_batch_(limits.max_batch),
        threads_(limits.threads),
        views_(card_.preprocessing.mirror_average ? 2 : 1),
        faces_per_pass_(std::max(1, limits.rows_per_pass / views_)),
        network_(std::move(network)),
        passes_(limits.threads <= limits.max_batch ? limits.threads - 1 : 0) {}

  const ModelCard& card() const override { return card_; }
  const Compute& compute() const override { return compute_; }
  int max_batch() const override { return max_batch_; }
  StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) override;
  StatusOr<std::vector<float>> EmbedRaw(std::span<const AlignedFace> faces) override;

  // Runs each size of a pass that can occur, so that no later call pays for a first time.
  Status WarmUp();

 private:
  // One pass for each thread or a multiple of that, side by side; while there are fewer faces than
  // threads, one pass after the other with all threads.
  Cut CutOf(size_t faces) const;
  // Rows view·i to view·i + views - 1 belong to face i: the crop, then its mirror image.
  StatusOr<torch::Tensor> MakeInput(std::span<const AlignedFace> faces) const;
  // Writes the values of the faces to `rows`.
  Status EmbedPass(std::span<const AlignedFace> faces, int threads, std::span<float> rows) const;

  const ModelCard card_;
  const Compute compute_;
  const int max_batch_;
  const int threads_;
  const int views_;           // rows of one face
  const int faces_per_pass_;  // through the network at once
  const std::unique_ptr<const FrozenNetwork> network_;
  SharedPasses passes_;  // ends first: its threads use the rest
};

Cut TorchEmbedder::CutOf(size_t faces) const {
  const auto threads = static_cast<size_t>(threads_);
  const auto most = static_cast<size_t>(faces_per_pass_);
  const auto passes = (faces + most - 1) / most;
  if (faces < threads) return {.passes = passes, .threads = threads_};
  return {.passes = std::min(faces, (passes + threads - 1) / threads * threads), .threads = 1};
}

StatusOr<std::vector<Embedding>> TorchEmbedder::Embed(std::span<const AlignedFace> faces) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> raw, EmbedRaw(faces));
  const size_t size = raw.size() / faces.size();
  std::vector<Embedding> embeddings;
  embeddings.reserve(faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    auto embedding = Embedding::Normalize(std::span(raw).subspan(i * size, size));
    if (!embedding.ok()) {
      return Internal(fmt::format("the network's output for a face is not an embedding: {}",
                                  MessageOf(embedding.status())));
    }
    embeddings.push_back(*std::move(embedding));
  }
  return embeddings;
}

StatusOr<std::vector<float>> TorchEmbedder::EmbedRaw(std::span<const AlignedFace> faces) {
  if (faces.empty() || faces.size() > static_cast<size_t>(max_batch_)) {
    return InvalidArgument(
        fmt::format("{} faces in one call, expected 1 to {}", faces.size(), max_batch_));
  }
  const Cut cut = CutOf(faces.size());
  const auto size = static_cast<size_t>(card_.embedding_size);
  std::vector<float> rows(faces.size() * size);
  const auto embed_pass = [&](size_t pass) {
    const size_t begin = pass * faces.size() / cut.passes;
    const size_t count = (pass + 1) * faces.size() / cut.passes - begin;
    return CatchToStatus("embedding faces", [&] {
      return EmbedPass(faces.subspan(begin, count), cut.threads,
                       std::span(rows).subspan(begin * size, count * size));
    });
  };
  if (cut.threads == 1) {
    FACEGATE_RETURN_IF_ERROR(passes_.Run(cut.passes, embed_pass));
  } else {
    // Each of them has all threads already.
    for (size_t i = 0; i < cut.passes; ++i) FACEGATE_RETURN_IF_ERROR(embed_pass(i));
  }
  return rows;
}

Status TorchEmbedder::EmbedPass(std::span<const AlignedFace> faces, int threads,
                                std::span<float> rows) const {
  FACEGATE_ASSIGN_OR_RETURN(const torch::Tensor input, MakeInput(faces));
  FACEGATE_ASSIGN_OR_RETURN(torch::Tensor raw, network_->Run(input, threads));
  const int64_t count = static_cast<int64_t>(faces.size());
  if (raw.numel() != input.size(0) * card_.embedding_size) {
    return Internal(
        fmt::format("the network gave {} numbers for {} crops", raw.numel(), input.size(0)));
  }
  raw = raw.view({count, views_, card_.embedding_size}).sum(1).contiguous();
  std::copy_n(raw.data_ptr<float>(), rows.size(), rows.begin());
  return OkStatus();
}

StatusOr<torch::Tensor> TorchEmbedder::MakeInput(std::span<const AlignedFace> faces) const {
  const Preprocessing& preprocessing = card_.preprocessing;
  const size_t floats = preprocessing.input_floats();
  const auto views = static_cast<size_t>(views_);
  torch::Tensor input =
      torch::empty({static_cast<int64_t>(faces.size() * views), preprocessing.channels(),
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
  const auto most = std::min(max_batch_, faces_per_pass_ * threads_);
  const auto faces = CanaryFaces(/*seed=*/1, most, card_.preprocessing.alignment);
  std::set<std::pair<size_t, int>> seen;  // faces of the largest pass, and its threads
  for (size_t count = 1; count <= faces.size(); ++count) {
    const Cut cut = CutOf(count);
    if (!seen.emplace((count + cut.passes - 1) / cut.passes, cut.threads).second) continue;
    FACEGATE_RETURN_IF_ERROR(Embed(std::span(faces).first(count)).status());
  }
  return OkStatus();
}

StatusOr<std::unique_ptr<RawEmbedder>> MakeOnCpu(ModelFile file, const EmbedderOptions& options) {
  return CatchToStatus("loading a model", [&]() -> StatusOr<std::unique_ptr<RawEmbedder>> {
    FACEGATE_ASSIGN_OR_RETURN(const network::Description description, NetworkOf(file.card));
    FACEGATE_ASSIGN_OR_RETURN(const auto backbone, LoadBackbone(description, file.tensors));
    file.tensors.clear();  // frees as much memory as the network takes
    FACEGATE_ASSIGN_OR_RETURN(auto network, FrozenNetwork::Create(*backbone, torch::kCPU));
    KeepFreedMemory();
    const Limits limits{
        .max_batch = options.max_batch, .rows_per_pass = kCpuRows, .threads = ThreadsOf(options)};
    auto embedder = std::make_unique<TorchEmbedder>(
        file.card, Compute{.device = "cpu", .threads = limits.threads}, limits, std::move(network));
    if (auto status = embedder->WarmUp(); !status.ok()) return Annotate(status, "warming up");
    if (options.run_canary) FACEGATE_RETURN_IF_ERROR(CheckCanary(*embedder));
    return embedder;
  });
}

StatusOr<std::unique_ptr<Embedder>> MakeOnCard(const ModelFile& file, const Device& device,
                                               std::span<const Precision> precisions,
                                               const EmbedderOptions& options) {
  const EmbedderMaker make = [&](Precision precision) {
    return MakeCardEmbedder(file, device, precision, options);
  };
  auto embedder = CatchToStatus("loading a model", [&] {
    return options.run_canary ? MakeProvenEmbedder(precisions, make) : make(precisions.front());
  });
  if (!embedder.ok()) return Annotate(embedder.status(), "device " + device.name());
  return std::make_unique<YieldingEmbedder>(*std::move(embedder));
}

}  // namespace

StatusOr<std::unique_ptr<Embedder>> MakeTorchEmbedder(ModelFile file,
                                                      const EmbedderOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  FACEGATE_RETURN_IF_ERROR(CheckCard(file.card));
  FACEGATE_ASSIGN_OR_RETURN(const Device device, ChooseDevice(options.device, FindCuda()));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Precision> precisions,
                            PrecisionsToTry(options.precision, device.is_cuda()));
  const auto on_cpu = [&]() -> StatusOr<std::unique_ptr<Embedder>> {
    return MakeOnCpu(std::move(file), WithBatch(options, kCpuBatch));
  };
  if (!device.is_cuda()) {
    if (!device.note.empty()) LogInfo("computing on the CPU: {}", device.note);
    return on_cpu();
  }
  const auto on_card = [&] {
    return MakeOnCard(file, device, precisions, WithBatch(options, kCardBatch));
  };
  return MakeOnCardOrCpu(options.device == "auto", on_card, on_cpu);
}

StatusOr<std::unique_ptr<RawEmbedder>> MakeTorchRawEmbedder(ModelFile file,
                                                            const EmbedderOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  FACEGATE_RETURN_IF_ERROR(CheckCard(file.card));
  return MakeOnCpu(std::move(file), WithBatch(options, kCpuBatch));
}

StatusOr<std::unique_ptr<Embedder>> LoadTorchEmbedder(const std::string& path,
                                                      const EmbedderOptions& options) {
  auto file = ReadModelFile(path);
  if (!file.ok()) return file.status();
  auto embedder = MakeTorchEmbedder(*std::move(file), options);
  if (!embedder.ok()) return Annotate(embedder.status(), path);
  return embedder;
}

}  // namespace facegate
