#include "face/torch/find_cuda.h"

#include <fmt/format.h>

#ifdef FACEGATE_GPU
#include <cuda_runtime_api.h>
#endif

namespace facegate {

#ifdef FACEGATE_GPU

namespace {

// 13000 is 13.0.
std::string CudaVersion(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

}  // namespace

CudaMachine FindCuda() {
  int driver = 0;
  // Without a driver this succeeds, and leaves 0.
  if (::cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    return {.missing = "no NVIDIA driver is installed"};
  }
  int count = 0;
  const cudaError_t counted = ::cudaGetDeviceCount(&count);
  if (counted == cudaErrorInsufficientDriver) {
    return {
        .missing = fmt::format(
            "the NVIDIA driver is for CUDA {} at most, and this build needs {}: install a newer "
            "one",
            CudaVersion(driver), CudaVersion(CUDART_VERSION))};
  }
  if (counted == cudaErrorNoDevice || (counted == cudaSuccess && count == 0)) {
    return {.missing = "the NVIDIA driver finds no card"};
  }
  if (counted != cudaSuccess) {
    return {.missing = fmt::format("CUDA does not start: {}", ::cudaGetErrorString(counted))};
  }
  CudaMachine machine;
  for (int number = 0; number < count; ++number) {
    cudaDeviceProp properties{};
    const cudaError_t read = ::cudaGetDeviceProperties(&properties, number);
    if (read != cudaSuccess) {
      return {.missing = fmt::format("the card cuda:{} cannot be asked: {}", number,
                                     ::cudaGetErrorString(read))};
    }
    machine.cards.push_back(
        {.name = properties.name, .capability = properties.major * 10 + properties.minor});
  }
  return machine;
}

#else

CudaMachine FindCuda() {
  return {.sought = false,
          .missing = "this build is for CPUs alone (the preset gpu builds for cards)"};
}

#endif

}  // namespace facegate
