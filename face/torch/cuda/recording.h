#pragma once

#include <ATen/cuda/CUDAGraph.h>

#include <functional>

namespace facegate {

// Records into `graph` what `work` queues on the calling thread's current stream, which is not the
// default one and has nothing left to do; other threads may use the card meanwhile. The recording
// has memory of its own, in a new pool or in that of other recordings of which one runs at a time.
// Passes on what `work` or LibTorch throws; stream and allocator then serve on as before.
void RecordGraph(at::cuda::CUDAGraph& graph, at::cuda::MempoolId_t pool,
                 const std::function<void()>& work);

}  // namespace facegate
