#pragma once

#include <cuda_runtime_api.h>

// The highest of lists of products, by FAISS's selection (faiss/gpu/utils/BlockSelectKernel.cuh),
// one block of threads for each list. All pointers are to the card's memory; calls queue work on a
// stream and do not wait. C++17: nvcc compiles it together with FAISS's headers.
namespace facegate::cuda {

// The most that can be selected of a list: FAISS's GPU_MAX_SELECTION_K.
inline constexpr int kMostSelected = 2048;

// Lists of one length that lie one after the other.
struct Lists {
  int lists = 0;
  int length = 0;
};

// Products with their places, `stride` from one list to the next.
struct Selected {
  float* products = nullptr;
  int* places = nullptr;
  int stride = 0;
};

// Puts the `wanted` highest products of each list, and where they are in it, in descending order;
// where a list is shorter than that, the rest is the lowest number there is, and -1.
void SelectBest(const float* products, Lists lists, int wanted, Selected best, cudaStream_t stream);

// The same of products that have their places.
void SelectBestOf(Selected from, Lists lists, int wanted, Selected best, cudaStream_t stream);

// Adds to the places of the n-th chunk of `chunk` places n times `step`, where a row has so many
// chunks, and row follows row.
void AddOffsets(int* places, int rows, int chunks, int chunk, int step, cudaStream_t stream);

}  // namespace facegate::cuda
