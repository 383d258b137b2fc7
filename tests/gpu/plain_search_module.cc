#include <cuda_runtime_api.h>
#include <faiss/gpu/GpuIndexFlat.h>
#include <faiss/gpu/StandardGpuResources.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "face/base/catch.h"
#include "face/base/module.h"
#include "tests/gpu/plain_search.h"

namespace facegate {
namespace {

constexpr size_t kRowsAtOnce = size_t{1} << 17;
constexpr size_t kCopiedBytes = size_t{2} << 30;
constexpr int kCopies = 10;
// What an index takes beside its rows.
constexpr size_t kSpareBytes = size_t{4} << 30;

using Clock = std::chrono::steady_clock;

Status StatusOf(cudaError_t error, std::string_view what) {
  if (error == cudaSuccess) return OkStatus();
  ::cudaGetLastError();
  return Internal(std::string(what) + ": " + ::cudaGetErrorString(error));
}

class FaissSearch final : public PlainSearch {
 public:
  explicit FaissSearch(int card) : card_(card) {}
  ~FaissSearch() override { Clear(); }

  Status Build(size_t rows, size_t dimension, bool in_halves, const Make& make) override {
    FACEGATE_RETURN_IF_ERROR(Choose());
    Clear();
    size_t free = 0;
    size_t total = 0;
    FACEGATE_RETURN_IF_ERROR(StatusOf(::cudaMemGetInfo(&free, &total), "memory of the card"));
    // FAISS takes other memory for more rows before it gives back that of those it has.
    if (free < 2 * rows * dimension * (in_halves ? 2 : 4) + kSpareBytes) {
      return {StatusCode::kResourceExhausted, "the card has no room for this index"};
    }
    return CatchToStatus("FAISS", [&] {
      faiss::gpu::GpuIndexFlatConfig config;
      config.device = card_;
      config.useFloat16 = in_halves;
      resources_ = std::make_unique<faiss::gpu::StandardGpuResources>();
      index_ = std::make_unique<faiss::gpu::GpuIndexFlatIP>(resources_.get(),
                                                            static_cast<int>(dimension), config);
      std::vector<float> vectors(std::min(rows, kRowsAtOnce) * dimension);
      for (size_t first = 0; first < rows; first += kRowsAtOnce) {
        const size_t count = std::min(kRowsAtOnce, rows - first);
        make(first, std::span(vectors).first(count * dimension));
        index_->add(static_cast<faiss::Index::idx_t>(count), vectors.data());
      }
      return OkStatus();
    });
  }

  void Clear() override {
    static_cast<void>(::cudaSetDevice(card_));
    index_.reset();
    resources_.reset();
  }

  Status Search(std::span<const float> queries, size_t wanted, std::span<int64_t> found) override {
    FACEGATE_RETURN_IF_ERROR(Choose());
    return CatchToStatus("FAISS", [&] {
      products_.resize(found.size());
      index_->search(static_cast<faiss::Index::idx_t>(found.size() / wanted), queries.data(),
                     static_cast<faiss::Index::idx_t>(wanted), products_.data(), found.data());
      return OkStatus();
    });
  }

  StatusOr<double> CopyRate() override {
    FACEGATE_RETURN_IF_ERROR(Choose());
    void* memory = nullptr;
    FACEGATE_RETURN_IF_ERROR(StatusOf(::cudaMalloc(&memory, 2 * kCopiedBytes), "memory"));
    const auto rate = MeasureCopies(memory);
    static_cast<void>(::cudaFree(memory));
    return rate;
  }

 private:
  Status Choose() const { return StatusOf(::cudaSetDevice(card_), "choosing the card"); }

  static StatusOr<double> MeasureCopies(void* memory) {
    double best = 0.0;
    for (int i = 0; i < kCopies; ++i) {
      const auto started = Clock::now();
      FACEGATE_RETURN_IF_ERROR(
          StatusOf(::cudaMemcpy(static_cast<char*>(memory) + kCopiedBytes, memory, kCopiedBytes,
                                cudaMemcpyDeviceToDevice),
                   "copying"));
      FACEGATE_RETURN_IF_ERROR(StatusOf(::cudaDeviceSynchronize(), "copying"));
      const std::chrono::duration<double> took = Clock::now() - started;
      best = std::max(best, 2.0 * static_cast<double>(kCopiedBytes) / took.count());
    }
    return best;
  }

  const int card_;
  std::unique_ptr<faiss::gpu::StandardGpuResources> resources_;
  std::unique_ptr<faiss::gpu::GpuIndexFlatIP> index_;
  std::vector<float> products_;
};

StatusOr<std::unique_ptr<PlainSearch>> Open(int card) {
  return std::make_unique<FaissSearch>(card);
}

}  // namespace
}  // namespace facegate

FACEGATE_MODULE(facegate::Open);
