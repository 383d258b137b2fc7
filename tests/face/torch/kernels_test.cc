// The CUDA kernels, compiled as C++ and run on the CPU: one thread after the other, but for kernels
// whose threads wait for each other. So their arithmetic and their indices are known to be right
// before they meet a card.

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <barrier>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "face/torch/plan_network.h"

namespace {

struct Place {
  unsigned x = 0;
};
thread_local Place blockIdx;
thread_local Place threadIdx;
Place gridDim;
std::barrier<>* threads_of_block = nullptr;

void SyncThreads() { threads_of_block->arrive_and_wait(); }

// Runs all threads of all blocks, those of one block side by side.
void RunSideBySide(unsigned blocks, unsigned threads, const std::function<void()>& kernel) {
  gridDim.x = blocks;
  for (unsigned block = 0; block < blocks; ++block) {
    std::barrier<> barrier(threads);
    threads_of_block = &barrier;
    std::vector<std::jthread> running;
    for (unsigned thread = 0; thread < threads; ++thread) {
      running.emplace_back([&kernel, block, thread] {
        blockIdx.x = block;
        threadIdx.x = thread;
        kernel();
      });
    }
  }
}

void RunInTurn(unsigned blocks, unsigned threads, const std::function<void()>& kernel) {
  gridDim.x = blocks;
  for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) {
    for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x) kernel();
  }
}

}  // namespace

#define FACEGATE_CUDA_ON_CPU
#include "face/torch/cuda/kernels.cu"

namespace facegate {
namespace {

using ::testing::Values;

torch::Tensor Numbers(torch::IntArrayRef shape, double step) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return torch::arange(count, torch::kFloat).mul(step).sin().view(shape);
}

torch::Tensor ChannelsLast(const torch::Tensor& map) {
  return map.contiguous(at::MemoryFormat::ChannelsLast);
}

cuda::NumberType NameOf(torch::ScalarType type) {
  if (type == torch::kHalf) return cuda::NumberType::kFp16;
  return type == torch::kBFloat16 ? cuda::NumberType::kBf16 : cuda::NumberType::kFp32;
}

class KernelsTest : public ::testing::TestWithParam<torch::ScalarType> {
 protected:
  torch::ScalarType type() const { return GetParam(); }
};

TEST_P(KernelsTest, FinishEqualsThePlainOperations) {
  for (const int64_t channels : {8, 64, 24}) {
    const torch::Tensor start = ChannelsLast(Numbers({3, channels, 5, 7}, 0.37).to(type()));
    const torch::Tensor added = ChannelsLast(Numbers({3, channels, 5, 7}, 0.11).to(type()));
    const FinishTensors finish{.bias = Numbers({channels}, 0.5),
                               .slope = Numbers({channels}, 0.7),
                               .scale = Numbers({channels}, 0.9),
                               .shift = Numbers({channels}, 1.3)};
    torch::Tensor expected = start.clone();
    const torch::Tensor expected_scaled = PlainMapKernels().Finish(expected, added, finish);
    torch::Tensor map = start.clone();
    torch::Tensor scaled = torch::zeros_like(map);
    ASSERT_EQ(cuda::LaunchFinish(NameOf(type()),
                                 {.map = map.mutable_data_ptr(),
                                  .added = added.const_data_ptr(),
                                  .bias = finish.bias.const_data_ptr<float>(),
                                  .slope = finish.slope.const_data_ptr<float>(),
                                  .scale = finish.scale.const_data_ptr<float>(),
                                  .shift = finish.shift.const_data_ptr<float>(),
                                  .scaled = scaled.mutable_data_ptr(),
                                  .places = 3 * 5 * 7,
                                  .channels = static_cast<int>(channels)},
                                 nullptr),
              cudaSuccess);
    EXPECT_TRUE(torch::allclose(map, expected, 1e-2, 1e-6)) << channels;
    EXPECT_TRUE(torch::allclose(scaled, expected_scaled, 1e-2, 1e-5)) << channels;
  }
}

TEST_P(KernelsTest, FinishWithNothingToAddLeavesNumbersAsTheyAre) {
  const torch::Tensor start = ChannelsLast(Numbers({2, 16, 3, 3}, 0.37).to(type()));
  torch::Tensor map = start.clone();
  ASSERT_EQ(
      cuda::LaunchFinish(NameOf(type()),
                         {.map = map.mutable_data_ptr(), .places = 18, .channels = 16}, nullptr),
      cudaSuccess);
  EXPECT_TRUE(torch::equal(map, start));
}

TEST_P(KernelsTest, DepthwiseEqualsAConvolution) {
  struct Case {
    int64_t kernel, stride, padding, height, width;
  };
  for (const Case& one : {Case{3, 1, 1, 6, 9}, Case{3, 2, 1, 7, 8}, Case{7, 1, 0, 7, 7}}) {
    constexpr int64_t kChannels = 16;
    const network::ConvShape shape{.in = kChannels,
                                   .out = kChannels,
                                   .kernel = one.kernel,
                                   .stride = one.stride,
                                   .padding = one.padding,
                                   .groups = kChannels};
    const torch::Tensor input =
        ChannelsLast(Numbers({2, kChannels, one.height, one.width}, 0.17).to(type()));
    const torch::Tensor weight = Numbers({one.kernel, one.kernel, kChannels}, 0.23);
    const FinishTensors finish{.bias = Numbers({kChannels}, 0.5),
                               .slope = Numbers({kChannels}, 0.7),
                               .scale = {},
                               .shift = {}};
    const torch::Tensor expected = PlainMapKernels().Depthwise(input, shape, weight, finish);
    torch::Tensor output = torch::zeros_like(ChannelsLast(expected));
    ASSERT_EQ(cuda::LaunchDepthwise(NameOf(type()),
                                    {.input = input.const_data_ptr(),
                                     .output = output.mutable_data_ptr(),
                                     .weight = weight.const_data_ptr<float>(),
                                     .bias = finish.bias.const_data_ptr<float>(),
                                     .slope = finish.slope.const_data_ptr<float>(),
                                     .pictures = 2,
                                     .height = static_cast<int>(one.height),
                                     .width = static_cast<int>(one.width),
                                     .channels = kChannels,
                                     .out_height = static_cast<int>(expected.size(2)),
                                     .out_width = static_cast<int>(expected.size(3)),
                                     .kernel = static_cast<int>(one.kernel),
                                     .stride = static_cast<int>(one.stride),
                                     .padding = static_cast<int>(one.padding)},
                                    nullptr),
              cudaSuccess);
    EXPECT_TRUE(torch::allclose(output, expected, 2e-2, 2e-2)) << one.kernel << one.stride;
  }
}

TEST_P(KernelsTest, PicturesAreNormalisedMirroredAndPadded) {
  const torch::Tensor crops = torch::arange(2 * 4 * 5 * 3, torch::kInt64)
                                  .mul(7)
                                  .remainder(256)
                                  .to(torch::kUInt8)
                                  .view({2, 4, 5, 3});
  torch::Tensor output = torch::ones({4, 4, 5, 8}, type());
  cuda::PictureArguments arguments{.crops = crops.const_data_ptr<uint8_t>(),
                                   .output = output.mutable_data_ptr(),
                                   .faces = 2,
                                   .views = 2,
                                   .height = 4,
                                   .width = 5,
                                   .rgb = true};
  const float mean[3] = {127.5f, 100.0f, 90.0f};
  const float scale[3] = {1 / 127.5f, 0.01f, 0.02f};
  std::copy(mean, mean + 3, arguments.mean);
  std::copy(scale, scale + 3, arguments.scale);
  ASSERT_EQ(cuda::LaunchPictures(NameOf(type()), arguments, nullptr), cudaSuccess);
  const torch::Tensor rgb = crops.flip({3}).to(torch::kFloat);
  const torch::Tensor expected =
      ((rgb - torch::tensor({127.5f, 100.0f, 90.0f})) * torch::tensor({1 / 127.5f, 0.01f, 0.02f}))
          .to(type());
  for (int64_t face = 0; face < 2; ++face) {
    EXPECT_TRUE(torch::equal(output[2 * face].narrow(2, 0, 3), expected[face])) << face;
    EXPECT_TRUE(torch::equal(output[2 * face + 1].narrow(2, 0, 3), expected[face].flip({1})));
  }
  EXPECT_TRUE(torch::equal(output.narrow(3, 3, 5), torch::zeros({4, 4, 5, 5}, type())));
}

TEST_P(KernelsTest, EmbeddingsAreUnitSumsOfViews) {
  const torch::Tensor raw = Numbers({6, 300}, 0.77).to(type());
  torch::Tensor output = torch::zeros({3, 300});
  ASSERT_EQ(cuda::LaunchEmbeddings(NameOf(type()),
                                   {.raw = raw.const_data_ptr(),
                                    .output = output.mutable_data_ptr<float>(),
                                    .faces = 3,
                                    .views = 2,
                                    .size = 300},
                                   nullptr),
            cudaSuccess);
  const torch::Tensor sums = raw.to(torch::kFloat).view({3, 2, 300}).sum(1);
  EXPECT_TRUE(torch::allclose(output, sums / sums.norm(2, {1}, true), 1e-5, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Types, KernelsTest, Values(torch::kFloat, torch::kHalf, torch::kBFloat16),
                         [](const auto& tested) {
                           return std::string(torch::toString(tested.param));
                         });

}  // namespace
}  // namespace facegate
