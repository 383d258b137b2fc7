#pragma once

#include <exception>

namespace facegate {

// True where an exception of LibTorch's says that memory ran out: of its own allocator, of a call
// of CUDA, or of cuBLAS or cuDNN, which say so in their texts alone.
bool IsOutOfMemory(const std::exception& error);

}  // namespace facegate
