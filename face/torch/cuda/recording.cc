#include "face/torch/cuda/recording.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <exception>

namespace facegate {
namespace {

// LibTorch ends a recording by the stream first, and leaves its allocator in it where that fails:
// from then on, memory that several streams have used would never be used again.
void EndAllocation(at::cuda::MempoolId_t pool) {
  try {
    c10::cuda::CUDACachingAllocator::endAllocateToPool(
        c10::cuda::getCurrentCUDAStream().device_index(), pool);
  } catch (const std::exception&) {
    // It had ended.
  }
}

// Ends a recording that has failed already.
void EndBroken(at::cuda::CUDAGraph& graph, at::cuda::MempoolId_t pool) {
  try {
    graph.capture_end();
  } catch (const std::exception&) {
    // It tells once more of the failure that the caller knows.
    EndAllocation(pool);
  }
  ::cudaGetLastError();  // else the next call would report what the recording left
}

}  // namespace

void RecordGraph(at::cuda::CUDAGraph& graph, at::cuda::MempoolId_t pool,
                 const std::function<void()>& work) {
  graph.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
  try {
    work();
  } catch (...) {
    EndBroken(graph, pool);
    throw;
  }
  try {
    graph.capture_end();
  } catch (...) {
    EndAllocation(pool);
    ::cudaGetLastError();
    throw;
  }
}

}  // namespace facegate
