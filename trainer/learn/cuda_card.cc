#include <fmt/format.h>

#include "face/base/catch.h"
#include "trainer/learn/card.h"

#ifdef FACEGATE_GPU
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "face/torch/cuda/recording.h"
#endif

namespace facegate {

#ifdef FACEGATE_GPU

namespace {

class GraphRecording final : public Recording {
 public:
  void Replay() override { graph_.replay(); }
  at::cuda::CUDAGraph& graph() { return graph_; }

 private:
  at::cuda::CUDAGraph graph_;
};

class TrainingCard final : public Card {
 public:
  explicit TrainingCard(int number)
      : device_(torch::kCUDA, static_cast<c10::DeviceIndex>(number)),
        copies_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device_.index())) {}

  torch::Device device() const override { return device_; }

  Shipment Ship(const std::vector<torch::Tensor>& tensors) override {
    const c10::cuda::CUDAStreamGuard on_copies(copies_);
    Shipment shipment;
    shipment.tensors.reserve(tensors.size());
    for (const torch::Tensor& tensor : tensors) {
      // LibTorch keeps pinned memory until the copy out of it is done.
      shipment.tensors.push_back(
          tensor.defined() ? tensor.pin_memory().to(device_, /*non_blocking=*/true) : tensor);
    }
    const auto event = std::make_shared<at::cuda::CUDAEvent>();
    event->record(copies_);
    shipment.arrival = event;
    return shipment;
  }

  void Await(const Shipment& shipment) override {
    const c10::cuda::CUDAStream computing = c10::cuda::getCurrentCUDAStream(device_.index());
    static_cast<at::cuda::CUDAEvent*>(shipment.arrival.get())->block(computing);
    for (const torch::Tensor& tensor : shipment.tensors) {
      // Its memory belongs to the stream of the copies, which would else take it while it is read.
      if (tensor.defined()) tensor.record_stream(computing);
    }
  }

  StatusOr<std::unique_ptr<Recording>> Record(const std::function<void()>& work,
                                              const std::function<void()>& undo) override {
    const c10::cuda::CUDAGuard on_card(device_);
    c10::cuda::getCurrentCUDAStream().synchronize();
    // The stream that everything else runs on cannot be captured.
    const c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool();
    const c10::cuda::CUDAStreamGuard on_stream(stream);
    auto recording = std::make_unique<GraphRecording>();
    const Status status = CatchToStatus("recording a step", [&]() -> Status {
      work();
      undo();
      stream.synchronize();
      // A recording has memory of its own: what the steps before it took is given back.
      c10::cuda::CUDACachingAllocator::emptyCache();
      RecordGraph(recording->graph(), at::cuda::graph_pool_handle(), work);
      return OkStatus();
    });
    if (!status.ok()) {
      // What it queued reads tensors that the caller frees.
      ::cudaStreamSynchronize(stream);
      ::cudaGetLastError();  // else the next call would report what the capture left
      return status;
    }
    return recording;
  }

  CardMemory memory() const override {
    const c10::cuda::CUDAGuard on_card(device_);
    size_t free = 0;
    size_t total = 0;
    if (::cudaMemGetInfo(&free, &total) != cudaSuccess) return {};
    return {.total = static_cast<int64_t>(total), .free = static_cast<int64_t>(free)};
  }

 private:
  const torch::Device device_;
  const c10::cuda::CUDAStream copies_;
};

void SetArithmetic(const TrainingOptions& options) {
  at::Context& context = at::globalContext();
  const bool deterministic = options.deterministic;
  // cuBLAS reads it when it starts.
  if (deterministic) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*replace=*/0);
  context.setDeterministicCuDNN(deterministic);
  context.setBenchmarkCuDNN(!deterministic);
  // Max pooling of single pixels counts as random, and is not: it is a warning, not an error.
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/true);
  context.setDeterministicFillUninitializedMemory(false);
  const bool tf32 = options.precision == Precision::kTf32;
  context.setAllowTF32CuBLAS(tf32);
  context.setAllowTF32CuDNN(tf32);
}

}  // namespace

StatusOr<std::unique_ptr<Card>> OpenCard(const TrainingOptions& options) {
  const int number = options.device.card;
  const Status status = CatchToStatus(options.device.name(), [&]() -> Status {
    SetArithmetic(options);
    // CUDA's context takes memory and may be refused it: here rather than in the first step.
    torch::zeros({1}, torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(number))).item();
    return OkStatus();
  });
  if (!status.ok()) {
    const std::string text(MessageOf(status));
    return FailedPrecondition(text.substr(0, text.find('\n')));  // the rest is LibTorch's own lines
  }
  return std::make_unique<TrainingCard>(number);
}

#else

StatusOr<std::unique_ptr<Card>> OpenCard(const TrainingOptions& options) {
  return FailedPrecondition(
      fmt::format("device {}: this build is for CPUs alone (the preset gpu "
                  "builds for cards)",
                  options.device.name()));
}

#endif

}  // namespace facegate
