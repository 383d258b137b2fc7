#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "face/torch/cuda/kernels.h"

// How kernels are launched: by CUDA, or, where tests compile this as C++, on the CPU.
#ifdef FACEGATE_CUDA_ON_CPU
#define FACEGATE_LAUNCH(blocks, stream, ...) \
  static_cast<void>(stream), RunInTurn(blocks, kThreads, [&] { __VA_ARGS__(arguments); })
#define FACEGATE_LAUNCH_BLOCKS(blocks, stream, ...) \
  static_cast<void>(stream), RunSideBySide(blocks, kThreads, [&] { __VA_ARGS__(arguments); })
#define FACEGATE_LAUNCHED cudaSuccess
#define FACEGATE_SHARED static
#define FACEGATE_UNROLL
#else
#define FACEGATE_LAUNCH(blocks, stream, ...) __VA_ARGS__<<<blocks, kThreads, 0, stream>>>(arguments)
#define FACEGATE_LAUNCH_BLOCKS FACEGATE_LAUNCH
#define FACEGATE_LAUNCHED cudaGetLastError()
#define FACEGATE_SHARED __shared__
#define FACEGATE_UNROLL _Pragma("unroll")
__device__ inline void SyncThreads() { __syncthreads(); }
#endif

namespace facegate::cuda {
namespace {

constexpr int kThreads = 256;  // of a block
constexpr int kLanes = 8;      // channels that one thread holds
constexpr int kMostBlocks = 132 * 16;

__device__ float ToFloat(float value) { return value; }
__device__ float ToFloat(__half value) { return __half2float(value); }
__device__ float ToFloat(__nv_bfloat16 value) { return __bfloat162float(value); }

template <typename T>
__device__ T FromFloat(float value);
template <>
__device__ float FromFloat<float>(float value) {
  return value;
}
template <>
__device__ __half FromFloat<__half>(float value) {
  return __float2half_rn(value);
}
template <>
__device__ __nv_bfloat16 FromFloat<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

// Eight neighbouring numbers, which are loaded and stored 16 bytes at a time.
template <typename T>
struct alignas(16) Eight {
  T values[kLanes];
};

template <typename T>
__device__ void Load(const void* from, int64_t index, float (&to)[kLanes]) {
  const Eight<T> eight = static_cast<const Eight<T>*>(from)[index];
  FACEGATE_UNROLL
  for (int i = 0; i < kLanes; ++i) to[i] = ToFloat(eight.values[i]);
}

// Rounds `values` to the type on the way.
template <typename T>
__device__ void Store(float (&values)[kLanes], void* to, int64_t index) {
  Eight<T> eight;
  FACEGATE_UNROLL
  for (int i = 0; i < kLanes; ++i) {
    eight.values[i] = FromFloat<T>(values[i]);
    values[i] = ToFloat(eight.values[i]);
  }
  static_cast<Eight<T>*>(to)[index] = eight;
}

// The numbers of eight channels, or `otherwise` where there are none.
__device__ void LoadChannels(const float* from, int first, float otherwise, float (&to)[kLanes]) {
  FACEGATE_UNROLL
  for (int i = 0; i < kLanes; ++i) to[i] = from == nullptr ? otherwise : from[first + i];
}

struct ChannelNumbers {
  float bias[kLanes];
  float slope[kLanes];
  float scale[kLanes];
  float shift[kLanes];

  __device__ void Read(const FinishArguments& arguments, int first) {
    LoadChannels(arguments.bias, first, 0.0f, bias);
    LoadChannels(arguments.slope, first, 1.0f, slope);
    LoadChannels(arguments.scale, first, 1.0f, scale);
    LoadChannels(arguments.shift, first, 0.0f, shift);
  }
};

// `kFixed`: a thread meets the same channels each time, so it reads their numbers once.
template <typename T, bool kFixed>
__global__ void FinishKernel(FinishArguments arguments) {
  const int groups = arguments.channels / kLanes;
  const int64_t count = arguments.places * groups;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  ChannelNumbers numbers;
  if (kFixed) numbers.Read(arguments, static_cast<int>(index % groups) * kLanes);
  for (; index < count; index += stride) {
    if (!kFixed) numbers.Read(arguments, static_cast<int>(index % groups) * kLanes);
    float values[kLanes];
    Load<T>(arguments.map, index, values);
    float added[kLanes] = {};
    if (arguments.added != nullptr) Load<T>(arguments.added, index, added);
    FACEGATE_UNROLL
    for (int i = 0; i < kLanes; ++i) {
      const float sum = values[i] + numbers.bias[i] + added[i];
      values[i] = sum >= 0.0f ? sum : sum * numbers.slope[i];
    }
    Store<T>(values, arguments.map, index);
    if (arguments.scaled == nullptr) continue;
    FACEGATE_UNROLL
    for (int i = 0; i < kLanes; ++i) values[i] = values[i] * numbers.scale[i] + numbers.shift[i];
    Store<T>(values, arguments.scaled, index);
  }
}

// A thread makes eight channels of one place.
template <typename T>
__global__ void DepthwiseKernel(DepthwiseArguments arguments) {
  const int groups = arguments.channels / kLanes;
  const int64_t count = static_cast<int64_t>(arguments.pictures) * arguments.out_height *
                        arguments.out_width * groups;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; index < count;
       index += stride) {
    const int group = static_cast<int>(index % groups);
    const int64_t place = index / groups;
    const int x = static_cast<int>(place % arguments.out_width);
    const int y = static_cast<int>(place / arguments.out_width % arguments.out_height);
    const int64_t picture = place / arguments.out_width / arguments.out_height;
    float sums[kLanes];
    LoadChannels(arguments.bias, group * kLanes, 0.0f, sums);
    for (int ky = 0; ky < arguments.kernel; ++ky) {
      const int row = y * arguments.stride - arguments.padding + ky;
      if (row < 0 || row >= arguments.height) continue;
      for (int kx = 0; kx < arguments.kernel; ++kx) {
        const int column = x * arguments.stride - arguments.padding + kx;
        if (column < 0 || column >= arguments.width) continue;
        float values[kLanes];
        Load<T>(arguments.input,
                ((picture * arguments.height + row) * arguments.width + column) * groups + group,
                values);
        const float* const weight =
            arguments.weight + (ky * arguments.kernel + kx) * arguments.channels + group * kLanes;
        FACEGATE_UNROLL
        for (int i = 0; i < kLanes; ++i) sums[i] += values[i] * weight[i];
      }
    }
    float slope[kLanes];
    LoadChannels(arguments.slope, group * kLanes, 1.0f, slope);
    FACEGATE_UNROLL
    for (int i = 0; i < kLanes; ++i) sums[i] = sums[i] >= 0.0f ? sums[i] : sums[i] * slope[i];
    Store<T>(sums, arguments.output, index);
  }
}

template <typename T>
__global__ void PicturesKernel(PictureArguments arguments) {
  const int64_t pixels = static_cast<int64_t>(arguments.height) * arguments.width;
  const int64_t count = pixels * arguments.faces * arguments.views;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; index < count;
       index += stride) {
    const int64_t row = index / pixels;
    const int64_t face = row / arguments.views;
    const bool mirrored = row % arguments.views == 1;
    const int64_t pixel = index % pixels;
    const int64_t x = pixel % arguments.width;
    const int64_t from = pixel - x + (mirrored ? arguments.width - 1 - x : x);
    const uint8_t* const bgr = arguments.crops + (face * pixels + from) * 3;
    float values[kLanes] = {};
    FACEGATE_UNROLL
    for (int c = 0; c < 3; ++c) {
      const float byte = static_cast<float>(bgr[arguments.rgb ? 2 - c : c]);
      values[c] = (byte - arguments.mean[c]) * arguments.scale[c];
    }
    Store<T>(values, arguments.output, index);
  }
}

// A block makes one embedding.
template <typename T>
__global__ void EmbeddingsKernel(EmbeddingArguments arguments) {
  const int64_t face = blockIdx.x;
  const T* const raw =
      static_cast<const T*>(arguments.raw) + face * arguments.views * arguments.size;
  float* const output = arguments.output + face * arguments.size;
  float squares = 0.0f;
  for (int i = threadIdx.x; i < arguments.size; i += kThreads) {
    float sum = 0.0f;
    for (int view = 0; view < arguments.views; ++view) {
      sum += ToFloat(raw[static_cast<int64_t>(view) * arguments.size + i]);
    }
    output[i] = sum;
    squares += sum * sum;
  }
  FACEGATE_SHARED float of_thread[kThreads];
  of_thread[threadIdx.x] = squares;
  SyncThreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half)
      of_thread[threadIdx.x] += of_thread[threadIdx.x + half];
    SyncThreads();
  }
  const float factor = 1.0f / sqrtf(of_thread[0]);
  for (int i = threadIdx.x; i < arguments.size; i += kThreads) output[i] *= factor;
}

unsigned BlocksFor(int64_t count) {
  const int64_t blocks = (count + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks);
}

template <typename T>
void Finish(const FinishArguments& arguments, cudaStream_t stream) {
  const int groups = arguments.channels / kLanes;
  const unsigned blocks = BlocksFor(arguments.places * groups);
  if (kThreads % groups == 0) {
    FACEGATE_LAUNCH(blocks, stream, FinishKernel<T, true>);
  } else {
    FACEGATE_LAUNCH(blocks, stream, FinishKernel<T, false>);
  }
}

template <typename T>
void Depthwise(const DepthwiseArguments& arguments, cudaStream_t stream) {
  const int64_t count = static_cast<int64_t>(arguments.pictures) * arguments.out_height *
                        arguments.out_width * (arguments.channels / kLanes);
  FACEGATE_LAUNCH(BlocksFor(count), stream, DepthwiseKernel<T>);
}

template <typename T>
void Pictures(const PictureArguments& arguments, cudaStream_t stream) {
  const int64_t count =
      static_cast<int64_t>(arguments.height) * arguments.width * arguments.faces * arguments.views;
  FACEGATE_LAUNCH(BlocksFor(count), stream, PicturesKernel<T>);
}

template <typename T>
void Embeddings(const EmbeddingArguments& arguments, cudaStream_t stream) {
  FACEGATE_LAUNCH_BLOCKS(static_cast<unsigned>(arguments.faces), stream, EmbeddingsKernel<T>);
}

// Calls the one of three functions that is for the type.
template <typename Arguments>
cudaError_t Launch(NumberType type, const Arguments& arguments, cudaStream_t stream,
                   void (*fp32)(const Arguments&, cudaStream_t),
                   void (*fp16)(const Arguments&, cudaStream_t),
                   void (*bf16)(const Arguments&, cudaStream_t)) {
  switch (type) {
    case NumberType::kFp32:
      fp32(arguments, stream);
      break;
    case NumberType::kFp16:
      fp16(arguments, stream);
      break;
    case NumberType::kBf16:
      bf16(arguments, stream);
      break;
  }
  return FACEGATE_LAUNCHED;
}

}  // namespace

cudaError_t LaunchFinish(NumberType type, const FinishArguments& arguments, cudaStream_t stream) {
  return Launch(type, arguments, stream, Finish<float>, Finish<__half>, Finish<__nv_bfloat16>);
}

cudaError_t LaunchDepthwise(NumberType type, const DepthwiseArguments& arguments,
                            cudaStream_t stream) {
  return Launch(type, arguments, stream, Depthwise<float>, Depthwise<__half>,
                Depthwise<__nv_bfloat16>);
}

cudaError_t LaunchPictures(NumberType type, const PictureArguments& arguments,
                           cudaStream_t stream) {
  return Launch(type, arguments, stream, Pictures<float>, Pictures<__half>,
                Pictures<__nv_bfloat16>);
}

cudaError_t LaunchEmbeddings(NumberType type, const EmbeddingArguments& arguments,
                             cudaStream_t stream) {
  return Launch(type, arguments, stream, Embeddings<float>, Embeddings<__half>,
                Embeddings<__nv_bfloat16>);
}

}  // namespace facegate::cuda
