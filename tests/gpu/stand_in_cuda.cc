// CUDA, cuBLAS and FAISS as far as index/rows/cuda calls them, on the CPU: its module is linked to
// this where there is no card. Memory of the card is not zero when it is taken, must be zero when
// it is given back, and there is little of it; what is not called by us is not here.
#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <vector>

#include "index/rows/card/half.h"
#include "index/rows/cuda/selection.h"
#include "tests/gpu/face_rows.h"

namespace facegate {
namespace {

constexpr size_t kCardBytes = size_t{8} << 30;
constexpr int kUnknown = 0xab;  // of memory that was not written
constexpr float kLowest = std::numeric_limits<float>::lowest();

class Memory {
 public:
  cudaError_t Take(void** place, size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes > kCardBytes - used_) return cudaErrorMemoryAllocation;
    *place = std::malloc(bytes);
    std::memset(*place, kUnknown, bytes);
    used_ += bytes;
    blocks_[*place] = bytes;
    return cudaSuccess;
  }
  void GiveBack(void* place) {
    const std::lock_guard lock(mutex_);
    const auto block = blocks_.find(place);
    Check(block != blocks_.end(), "what is given back was taken");
    const auto* bytes = static_cast<const char*>(place);
    const bool is_wiped =
        std::all_of(bytes, bytes + block->second, [](char byte) { return byte == 0; });
    Check(is_wiped, "what is given back was wiped");
    used_ -= block->second;
    blocks_.erase(block);
    std::free(place);
  }
  size_t free() {
    const std::lock_guard lock(mutex_);
    return kCardBytes - used_;
  }

 private:
  static void Check(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "stand-in for CUDA: not true: %s\n", what);
    std::abort();
  }

  std::mutex mutex_;
  std::map<void*, size_t> blocks_;
  size_t used_ = 0;
};

Memory& TheMemory() {
  static Memory memory;
  return memory;
}

float Dot(const float* a, const float* b, size_t count) {
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float sum = std::accumulate(sums.begin(), sums.end(), 0.0f);
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<float> FloatsOf(const uint16_t* halves, size_t count) {
  std::vector<float> floats(count);
  std::transform(halves, halves + count, floats.begin(), FromHalf);
  return floats;
}

// One list; `places` may be null.
void SelectOne(const float* products, const int* places, int length, int wanted,
               float* best_products, int* best_places) {
  std::vector<int> order;
  for (int i = 0; i < length; ++i) {
    if (products[i] > kLowest) order.push_back(i);
  }
  const int count = std::min(wanted, static_cast<int>(order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int a, int b) { return products[a] > products[b]; });
  for (int i = 0; i < wanted; ++i) {
    const int place = i < count ? order[static_cast<size_t>(i)] : -1;
    best_products[i] = place < 0 ? kLowest : products[place];
    best_places[i] = place < 0 || places == nullptr ? place : places[place];
  }
}

// Each list, by its number.
template <typename Select>
void SelectEach(cuda::Lists lists, const Select& select) {
  InThreads(static_cast<size_t>(lists.lists), 1, [&](size_t begin, size_t end) {
    for (size_t list = begin; list < end; ++list) select(static_cast<ptrdiff_t>(list));
  });
}

}  // namespace

namespace cuda {

void SelectBest(const float* products, Lists lists, int wanted, Selected best, cudaStream_t) {
  SelectEach(lists, [&](ptrdiff_t list) {
    SelectOne(products + list * lists.length, nullptr, lists.length, wanted,
              best.products + list * best.stride, best.places + list * best.stride);
  });
}

void SelectBestOf(Selected from, Lists lists, int wanted, Selected best, cudaStream_t) {
  SelectEach(lists, [&](ptrdiff_t list) {
    SelectOne(from.products + list * from.stride, from.places + list * from.stride, lists.length,
              wanted, best.products + list * best.stride, best.places + list * best.stride);
  });
}

void AddOffsets(int* places, int rows, int chunks, int chunk, int step, cudaStream_t) {
  for (int i = 0; i < rows * chunks * chunk; ++i) places[i] += i / chunk % chunks * step;
}

}  // namespace cuda
}  // namespace facegate

extern "C" {

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "no card");
  properties->major = 9;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "an error";
}

cudaError_t cudaMalloc(void** place, size_t bytes) {
  return facegate::TheMemory().Take(place, bytes);
}
cudaError_t cudaFree(void* place) {
  facegate::TheMemory().GiveBack(place);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** place, size_t bytes, unsigned) {
  return facegate::TheMemory().Take(place, bytes);
}
cudaError_t cudaFreeHost(void* place) { return cudaFree(place); }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = facegate::TheMemory().free();
  *total = facegate::kCardBytes;
  return cudaSuccess;
}
cudaError_t cudaMemset(void* place, int value, size_t bytes) {
  std::memset(place, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* place, int value, size_t bytes, cudaStream_t) {
  return cudaMemset(place, value, bytes);
}
cudaError_t cudaMemset2DAsync(void* place, size_t pitch, int value, size_t width, size_t height,
                              cudaStream_t) {
  for (size_t i = 0; i < height; ++i) {
    std::memset(static_cast<char*>(place) + i * pitch, value, width);
  }
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasSetStream_v2(cublasHandle_t, cudaStream_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) { return CUBLAS_STATUS_SUCCESS; }
const char* cublasGetStatusString(cublasStatus_t) { return "an error"; }

// The one product that is asked for: rows transposed times queries, times 1, plus 0.
cublasStatus_t cublasGemmEx(cublasHandle_t, cublasOperation_t of_a, cublasOperation_t of_b, int m,
                            int n, int k, const void*, const void* a, cudaDataType a_type, int lda,
                            const void* b, cudaDataType b_type, int ldb, const void*, void* c,
                            cudaDataType c_type, int ldc, cublasComputeType_t type,
                            cublasGemmAlgo_t) {
  if (of_a != CUBLAS_OP_T || of_b != CUBLAS_OP_N || a_type != CUDA_R_16F || b_type != CUDA_R_16F ||
      c_type != CUDA_R_32F || lda != k || ldb != k || ldc < m) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  // So that what follows then is tried, too.
  if (type == CUBLAS_COMPUTE_32F && k % 8 != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto length = static_cast<size_t>(k);
  const auto queries =
      facegate::FloatsOf(static_cast<const uint16_t*>(b), length * static_cast<size_t>(n));
  auto* products = static_cast<float*>(c);
  facegate::InThreads(static_cast<size_t>(m), 256, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const auto values =
          facegate::FloatsOf(static_cast<const uint16_t*>(a) + row * length, length);
      for (size_t query = 0; query < static_cast<size_t>(n); ++query) {
        products[query * static_cast<size_t>(ldc) + row] =
            facegate::Dot(values.data(), queries.data() + query * length, length);
      }
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
