#include <faiss/gpu/utils/BlockSelectKernel.cuh>

#include "index/rows/cuda/selection.h"

namespace facegate::cuda {
namespace {

constexpr int kThreads = 256;  // of a block

static_assert(kMostSelected == GPU_MAX_SELECTION_K);

template <typename T>
faiss::gpu::Tensor<T, 2, true> TensorOf(T* data, int rows, int columns, int stride) {
  const int sizes[] = {rows, columns};
  const int strides[] = {stride, 1};
  return {data, sizes, strides};
}

__global__ void AddOffsetsKernel(int* places, int count, int chunks, int chunk, int step) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) places[i] += i / chunk % chunks * step;
}

}  // namespace

void SelectBest(const float* products, Lists lists, int wanted, Selected best,
                cudaStream_t stream) {
  // FAISS only reads it.
  auto from = TensorOf(const_cast<float*>(products), lists.lists, lists.length, lists.length);
  auto best_products = TensorOf(best.products, lists.lists, wanted, best.stride);
  auto best_places = TensorOf(best.places, lists.lists, wanted, best.stride);
  faiss::gpu::runBlockSelect(from, best_products, best_places, /*dir=*/true, wanted, stream);
}

void SelectBestOf(Selected from, Lists lists, int wanted, Selected best, cudaStream_t stream) {
  auto products = TensorOf(from.products, lists.lists, lists.length, from.stride);
  auto places = TensorOf(from.places, lists.lists, lists.length, from.stride);
  auto best_products = TensorOf(best.products, lists.lists, wanted, best.stride);
  auto best_places = TensorOf(best.places, lists.lists, wanted, best.stride);
  faiss::gpu::runBlockSelectPair(products, places, best_products, best_places, /*dir=*/true, wanted,
                                 stream);
}

void AddOffsets(int* places, int rows, int chunks, int chunk, int step, cudaStream_t stream) {
  const int count = rows * chunks * chunk;
  const int blocks = (count + kThreads - 1) / kThreads;
  AddOffsetsKernel<<<blocks, kThreads, 0, stream>>>(places, count, chunks, chunk, step);
}

}  // namespace facegate::cuda
