#include "face/torch/cuda/card_map_kernels.h"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/utils.h>

#include "face/torch/cuda/kernels.h"
#include "face/torch/cuda/number_type.h"

namespace facegate {
namespace {

using network::ConvShape;

// What the kernels want channels to be a multiple of.
constexpr int64_t kLanes = 8;

const float* FloatsOf(const torch::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

// Maps that LibTorch's operations give may lie in another order; those of convolutions do not.
torch::Tensor ChannelsLast(const torch::Tensor& map) {
  return map.dim() == 4 ? map.contiguous(at::MemoryFormat::ChannelsLast) : map.contiguous();
}

class CardKernels : public MapKernels {
 public:
  torch::Tensor Finish(torch::Tensor& map, const torch::Tensor& added,
                       const FinishTensors& finish) const override {
    const bool nothing = !finish.bias.defined() && !added.defined() && !finish.slope.defined() &&
                         !finish.scale.defined();
    if (nothing) return {};
    const int64_t channels = map.dim() == 3 ? map.size(2) : map.size(1);
    if (channels % kLanes != 0) return PlainMapKernels().Finish(map, added, finish);
    map = ChannelsLast(map);
    const torch::Tensor other = added.defined() ? ChannelsLast(added) : torch::Tensor();
    const torch::Tensor scaled = finish.scale.defined() ? torch::empty_like(map) : torch::Tensor();
    C10_CUDA_CHECK(
        cuda::LaunchFinish(NumberTypeOf(map.scalar_type()),
                           {.map = map.mutable_data_ptr(),
                            .added = other.defined() ? other.const_data_ptr() : nullptr,
                            .bias = FloatsOf(finish.bias),
                            .slope = FloatsOf(finish.slope),
                            .scale = FloatsOf(finish.scale),
                            .shift = FloatsOf(finish.shift),
                            .scaled = scaled.defined() ? scaled.mutable_data_ptr() : nullptr,
                            .places = map.numel() / channels,
                            .channels = static_cast<int>(channels)},
                           c10::cuda::getCurrentCUDAStream()));
    return scaled;
  }

  torch::Tensor Depthwise(const torch::Tensor& map, const ConvShape& shape,
                          const torch::Tensor& weight, const FinishTensors& finish) const override {
    if (shape.out % kLanes != 0) return PlainMapKernels().Depthwise(map, shape, weight, finish);
    const torch::Tensor input = ChannelsLast(map);
    const auto places = [&](int64_t side) {
      return (side + 2 * shape.padding - shape.kernel) / shape.stride + 1;
    };
    torch::Tensor output =
        torch::empty({input.size(0), shape.out, places(input.size(2)), places(input.size(3))},
                     input.options().memory_format(at::MemoryFormat::ChannelsLast));
    C10_CUDA_CHECK(cuda::LaunchDepthwise(NumberTypeOf(input.scalar_type()),
                                         {.input = input.const_data_ptr(),
                                          .output = output.mutable_data_ptr(),
                                          .weight = FloatsOf(weight),
                                          .bias = FloatsOf(finish.bias),
                                          .slope = FloatsOf(finish.slope),
                                          .pictures = static_cast<int>(input.size(0)),
                                          .height = static_cast<int>(input.size(2)),
                                          .width = static_cast<int>(input.size(3)),
                                          .channels = static_cast<int>(shape.out),
                                          .out_height = static_cast<int>(output.size(2)),
                                          .out_width = static_cast<int>(output.size(3)),
                                          .kernel = static_cast<int>(shape.kernel),
                                          .stride = static_cast<int>(shape.stride),
                                          .padding = static_cast<int>(shape.padding)},
                                         c10::cuda::getCurrentCUDAStream()));
    return output;
  }
};

}  // namespace

const MapKernels& CardMapKernels() {
  static const CardKernels kernels;
  return kernels;
}

}  // namespace facegate
