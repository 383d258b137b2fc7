#include "face/torch/find_cuda.h"

#include <fmt/format.h>

#ifdef FACEGATE_GPU
#include <cuda_runtime_api.h>
#endif

namespace facegate {
namespace {

// cudaErrorInsufficientDriver and cudaErrorNoDevice, for builds without CUDA's headers.
constexpr int kInsufficientDriver = 35;
constexpr int kNoDevice = 100;

std::string CudaVersion(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

}  // namespace

std::string CudaFault(const CudaAnswers& answers) {
  if (answers.driver == 0) return "no NVIDIA driver is installed";
  if (answers.error == kInsufficientDriver) {
    return fmt::format(
        "the NVIDIA driver is for CUDA {} at most, and this build needs {}: install a newer one",
        CudaVersion(answers.driver), CudaVersion(answers.runtime));
  }
  if (answers.error == kNoDevice || (answers.error == 0 && answers.cards == 0)) {
    return "the NVIDIA driver finds no card";
  }
  return answers.error == 0 ? "" : fmt::format("CUDA does not start: {}", answers.error_text);
}

#ifdef FACEGATE_GPU

static_assert(kInsufficientDriver == cudaErrorInsufficientDriver);
static_assert(kNoDevice == cudaErrorNoDevice);

CudaMachine FindCuda() {
  CudaAnswers answers{.runtime = CUDART_VERSION};
  // Without a driver this succeeds, and leaves 0.
  if (::cudaDriverGetVersion(&answers.driver) != cudaSuccess) answers.driver = 0;
  const cudaError_t counted = ::cudaGetDeviceCount(&answers.cards);
  answers.error = counted;
  answers.error_text = ::cudaGetErrorString(counted);
  CudaMachine machine{.missing = CudaFault(answers)};
  if (!machine.missing.empty()) return machine;
  for (int number = 0; number < answers.cards; ++number) {
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
