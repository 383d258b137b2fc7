#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

// The CUDA kernels that stand between LibTorch's operations. They are launched on a stream and do
// not wait. Maps lie in the order N, H, W, C, and C is a multiple of 8; pointers are to the card's
// memory, aligned to 16 bytes. Each call returns what the launch gave.
namespace facegate::cuda {

enum class NumberType { kFp32, kFp16, kBf16 };

// Of each number of `map`, of `places` times `channels`: adds bias[channel], adds the number of
// `added`, and multiplies what is negative by slope[channel]; the result, rounded to the type, goes
// to `map`, and times scale[channel] plus shift[channel] to `scaled`. Null pointers: not done;
// `scaled`, `scale` and `shift` go together.
struct FinishArguments {
  void* map = nullptr;
  const void* added = nullptr;
  const float* bias = nullptr;
  const float* slope = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  void* scaled = nullptr;
  int64_t places = 0;  // N · H · W
  int channels = 0;
};
cudaError_t LaunchFinish(NumberType type, const FinishArguments& arguments, cudaStream_t stream);

// A convolution with one filter for each channel; `weight` is kernel · kernel · C. Then bias and
// slope as above.
struct DepthwiseArguments {
  const void* input = nullptr;
  void* output = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  const float* slope = nullptr;
  int pictures = 0;
  int height = 0;  // of the input
  int width = 0;
  int channels = 0;
  int out_height = 0;
  int out_width = 0;
  int kernel = 0;
  int stride = 0;
  int padding = 0;
};
cudaError_t LaunchDepthwise(NumberType type, const DepthwiseArguments& arguments,
                            cudaStream_t stream);

// From crops (faces · height · width · 3 bytes, in the order B, G, R) to a network's input: rows of
// height · width · 8 numbers, `views` for each face: the crop, then its mirror image. A number is
// (byte - mean) · scale of its channel; channels beyond the third are 0.
struct PictureArguments {
  const uint8_t* crops = nullptr;
  void* output = nullptr;
  int faces = 0;
  int views = 1;
  int height = 0;
  int width = 0;
  bool rgb = true;  // the order of the network's channels; else B, G, R
  float mean[3] = {};
  float scale[3] = {};
};
cudaError_t LaunchPictures(NumberType type, const PictureArguments& arguments, cudaStream_t stream);

// From a network's output (faces · views rows of `size` numbers) to one unit vector for each face:
// the normalised sum of its views, in fp32.
struct EmbeddingArguments {
  const void* raw = nullptr;
  float* output = nullptr;
  int faces = 0;
  int views = 1;
  int size = 0;
};
cudaError_t LaunchEmbeddings(NumberType type, const EmbeddingArguments& arguments,
                             cudaStream_t stream);

}  // namespace facegate::cuda
