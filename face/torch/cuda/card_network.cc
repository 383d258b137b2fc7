#include "face/torch/cuda/card_network.h"

#include <ATen/Context.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <utility>

#include "face/torch/cuda/batch_sizes.h"
#include "face/torch/cuda/card_errors.h"
#include "face/torch/cuda/card_map_kernels.h"
#include "face/torch/cuda/kernels.h"
#include "face/torch/cuda/number_type.h"
#include "face/torch/cuda/recording.h"

namespace facegate {
namespace {

constexpr int kWarmUps = 3;

torch::Device CardOf(const CardOptions& options) {
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(options.card)};
}

}  // namespace

// One batch on its way, and the memory that it needs.
struct CardNetwork::Pass {
  Pass(torch::Device device, int faces, int64_t crop_bytes, int64_t outputs)
      : stream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())),
        host_crops(torch::empty({faces, crop_bytes},
                                torch::TensorOptions(torch::kUInt8).pinned_memory(true))),
        crops(
            torch::zeros({faces, crop_bytes}, torch::TensorOptions(torch::kUInt8).device(device))),
        vectors(torch::zeros({faces, outputs}, torch::TensorOptions(torch::kFloat).device(device))),
        host_vectors(torch::empty({faces, outputs},
                                  torch::TensorOptions(torch::kFloat).pinned_memory(true))),
        pool(at::cuda::graph_pool_handle()) {}

  c10::cuda::CUDAStream stream;
  torch::Tensor host_crops;
  torch::Tensor crops;
  torch::Tensor vectors;
  torch::Tensor host_vectors;
  at::cuda::MempoolId_t pool;  // of all graphs of the pass, of which one runs at a time
  std::map<int, std::unique_ptr<at::cuda::CUDAGraph>> graphs;  // by the number of faces
};

// A pass that is taken for a call.
class CardNetwork::Held {
 public:
  explicit Held(CardNetwork& network) : network_(network) {
    const MutexLock lock(network_.mutex_);
    while (network_.free_.empty()) network_.freed_.Wait(network_.mutex_);
    pass_ = network_.free_.back();
    network_.free_.pop_back();
  }
  ~Held() {
    {
      const MutexLock lock(network_.mutex_);
      network_.free_.push_back(pass_);
    }
    network_.freed_.NotifyOne();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  Pass& operator*() const { return *pass_; }

 private:
  CardNetwork& network_;
  Pass* pass_ = nullptr;
};

CardNetwork::CardNetwork(const network::InferencePlan& plan, const CardInput& input,
                         const CardOptions& options)
    : input_(input),
      options_(options),
      height_(static_cast<int>(plan.input.height)),
      width_(static_cast<int>(plan.input.width)),
      outputs_(static_cast<int>(plan.outputs)),
      network_(plan, CardOf(options), options.type, CardMapKernels()) {}

CardNetwork::~CardNetwork() {
  // What runs on the streams uses the memory that goes.
  for (const auto& pass : passes_) ::cudaStreamSynchronize(pass->stream);
}

StatusOr<std::unique_ptr<CardNetwork>> CardNetwork::Create(const network::InferencePlan& plan,
                                                           const CardInput& input,
                                                           const CardOptions& options) {
  using Network = std::unique_ptr<CardNetwork>;
  return CatchOnCard(options.card, "preparing the network", [&]() -> StatusOr<Network> {
    const c10::cuda::CUDAGuard on_card(CardOf(options));
    const torch::NoGradGuard no_grad;
    // For the whole process: which of cuDNN's ways is fastest is tried for each shape, and no
    // product is coarser than was asked for.
    at::globalContext().setBenchmarkCuDNN(true);
    at::globalContext().setAllowTF32CuDNN(options.tf32);
    at::globalContext().setAllowTF32CuBLAS(options.tf32);
    at::globalContext().setAllowFP16ReductionCuBLAS(false);
    at::globalContext().setAllowBF16ReductionCuBLAS(false);
    Network network(new CardNetwork(plan, input, options));
    const int64_t crop_bytes = int64_t{3} * network->height_ * network->width_;
    for (int i = 0; i < options.passes; ++i) {
      network->passes_.push_back(std::make_unique<Pass>(CardOf(options), options.max_faces,
                                                        crop_bytes, network->outputs_));
    }
    // All that was copied and put in order so far was on another stream than those of the passes.
    C10_CUDA_CHECK(::cudaDeviceSynchronize());
    FACEGATE_ASSIGN_OR_RETURN(
        network->max_faces_,
        RecordWhatFits(BatchSizesUpTo(options.max_faces), [&](int faces) -> Status {
          for (auto& pass : network->passes_) {
            FACEGATE_RETURN_IF_ERROR(network->Record(*pass, faces));
          }
          return OkStatus();
        }));
    // What the warm-ups used; the graphs have memory of their own.
    c10::cuda::CUDACachingAllocator::emptyCache();
    const MutexLock lock(network->mutex_);
    for (auto& pass : network->passes_) network->free_.push_back(pass.get());
    return network;
  });
}

torch::Tensor CardNetwork::Compute(Pass& pass, int faces) const {
  const auto stream = c10::cuda::getCurrentCUDAStream();
  torch::Tensor pictures =
      torch::empty({int64_t{faces} * input_.views, PlanNetwork::kInputChannels, height_, width_},
                   torch::TensorOptions(options_.type)
                       .device(pass.crops.device())
                       .memory_format(at::MemoryFormat::ChannelsLast));
  cuda::PictureArguments arguments{.crops = pass.crops.const_data_ptr<uint8_t>(),
                                   .output = pictures.mutable_data_ptr(),
                                   .faces = faces,
                                   .views = input_.views,
                                   .height = height_,
                                   .width = width_,
                                   .rgb = input_.rgb};
  std::copy(input_.mean.begin(), input_.mean.end(), std::begin(arguments.mean));
  std::copy(input_.scale.begin(), input_.scale.end(), std::begin(arguments.scale));
  C10_CUDA_CHECK(cuda::LaunchPictures(NumberTypeOf(options_.type), arguments, stream));
  const torch::Tensor raw = network_.Forward(pictures).contiguous();
  C10_CUDA_CHECK(cuda::LaunchEmbeddings(NumberTypeOf(options_.type),
                                        {.raw = raw.const_data_ptr(),
                                         .output = pass.vectors.mutable_data_ptr<float>(),
                                         .faces = faces,
                                         .views = input_.views,
                                         .size = outputs_},
                                        stream));
  return raw;  // lives until all is launched
}

Status CardNetwork::Record(Pass& pass, int faces) {
  return CatchOnCard(options_.card, "recording a pass", [&] {
    const c10::cuda::CUDAStreamGuard on_stream(pass.stream);
    // cuDNN tries its ways, which it cannot while a graph is recorded.
    for (int i = 0; i < kWarmUps; ++i) Compute(pass, faces);
    C10_CUDA_CHECK(::cudaStreamSynchronize(pass.stream));
    // A recording cannot use the memory of what ran before it.
    c10::cuda::CUDACachingAllocator::emptyCache();
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    RecordGraph(*graph, pass.pool, [&] { Compute(pass, faces); });
    // The first run takes what it needs of the card, which no caller shall wait for.
    graph->replay();
    C10_CUDA_CHECK(::cudaStreamSynchronize(pass.stream));
    pass.graphs.insert_or_assign(faces, std::move(graph));
    return OkStatus();
  });
}

Status CardNetwork::Embed(std::span<const CropPixels> crops, std::span<float> vectors) {
  if (crops.empty() || crops.size() > static_cast<size_t>(max_faces_) ||
      vectors.size() != crops.size() * static_cast<size_t>(outputs_)) {
    return Internal(fmt::format("{} crops and {} numbers do not fit a pass of up to {} faces",
                                crops.size(), vectors.size(), max_faces_));
  }
  FACEGATE_RETURN_IF_ERROR(Health());
  const Held pass(*this);
  Status status =
      CatchOnCard(options_.card, "running the network", [&] { return Run(*pass, crops, vectors); });
  if (status.code() == StatusCode::kUnavailable) lost_ = true;
  return status;
}

Status CardNetwork::Health() const {
  if (!lost_) return OkStatus();
  return Unavailable("the card is lost to this process, which must be started again");
}

Status CardNetwork::Run(Pass& pass, std::span<const CropPixels> crops,
                        std::span<float> vectors) const {
  const c10::cuda::CUDAStreamGuard on_stream(pass.stream);
  const auto height = static_cast<size_t>(height_);
  const size_t row = 3 * static_cast<size_t>(width_);
  auto* to = pass.host_crops.mutable_data_ptr<uint8_t>();
  for (const CropPixels& crop : crops) {
    for (size_t y = 0; y < height; ++y, to += row) {
      std::memcpy(to, crop.first + y * crop.row_bytes, row);
    }
  }
  C10_CUDA_CHECK(::cudaMemcpyAsync(pass.crops.mutable_data_ptr(), pass.host_crops.const_data_ptr(),
                                   crops.size() * row * height, cudaMemcpyHostToDevice,
                                   pass.stream));
  const auto graph = pass.graphs.lower_bound(static_cast<int>(crops.size()));
  if (graph == pass.graphs.end()) return Internal("no pass was recorded for so many faces");
  graph->second->replay();
  C10_CUDA_CHECK(::cudaMemcpyAsync(pass.host_vectors.mutable_data_ptr(),
                                   pass.vectors.const_data_ptr(), vectors.size_bytes(),
                                   cudaMemcpyDeviceToHost, pass.stream));
  C10_CUDA_CHECK(::cudaStreamSynchronize(pass.stream));
  std::memcpy(vectors.data(), pass.host_vectors.const_data_ptr(), vectors.size_bytes());
  return OkStatus();
}

}  // namespace facegate
