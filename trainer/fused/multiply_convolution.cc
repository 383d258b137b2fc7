// Convolutions as matrix products: 1×1, and over a picture of few channels.
#include <algorithm>
#include <cstring>

#include "trainer/fused/convolution_parts.h"

namespace facegate {
namespace {

// Pixels of the batch that belong to the group.
struct PixelRange {
  int64_t begin = 0;
  int64_t end = 0;
};

PixelRange PixelsOf(const ConvolutionTask& task) {
  const int64_t area = task.values.memory.output_extent(task.stage).area();
  const int64_t begin = task.group.first_picture * area;
  return {.begin = begin, .end = begin + task.group.pictures * area};
}

// Copies what the kernel sees around one pixel of the output: kernel × kernel × in, zeros outside.
void CopyPatch(const Stage& shape, const Extent& extent, const float* picture, int64_t top,
               int64_t left, float* out) {
  const auto channels = static_cast<size_t>(shape.in);
  for (int64_t ky = 0; ky < shape.kernel; ++ky) {
    const int64_t y = top + ky;
    for (int64_t kx = 0; kx < shape.kernel; ++kx, out += channels) {
      const int64_t x = left + kx;
      if (y < 0 || y >= extent.height || x < 0 || x >= extent.width) {
        std::fill_n(out, channels, 0.0F);
      } else {
        std::copy_n(picture + (y * extent.width + x) * shape.in, channels, out);
      }
    }
  }
}

// Rows of the product for pixels of the output, padded with zeros to its depth.
void CopyPatches(const ConvolutionTask& task, int64_t first, int64_t rows, float* out) {
  const PassMemory& memory = task.values.memory;
  const Stage& shape = memory.stage(task.stage);
  const Extent& from = memory.input_extent(task.stage);
  const Extent& to = memory.output_extent(task.stage);
  const int64_t depth = ProductDepth(shape);
  const int64_t used = shape.kernel * shape.kernel * shape.in;
  for (int64_t pixel = first; pixel < first + rows; ++pixel, out += depth) {
    const int64_t place = pixel % to.area();
    const float* const picture = task.values.input + pixel / to.area() * from.area() * shape.in;
    CopyPatch(shape, from, picture, place / to.width * shape.stride - shape.padding,
              place % to.width * shape.stride - shape.padding, out);
    std::fill(out + used, out + depth, 0.0F);
  }
}

const float* ReadRows(const ConvolutionTask& task, int64_t first, int64_t rows, bool forward,
                      float* scratch) {
  if (task.values.memory.stage(task.stage).kind == StageKind::kPicture) {
    CopyPatches(task, first, rows, scratch);
    return scratch;
  }
  return task.values.Read(static_cast<int>(task.stage) - 1, first, rows, forward, scratch);
}

}  // namespace

void MultiplyForward(const ConvolutionTask& task) {
  const PassMemory& memory = task.values.memory;
  const Stage& shape = memory.stage(task.stage);
  const int64_t depth = ProductDepth(shape);
  const int64_t chunk = ChunkRows(shape);
  float* const rows = task.scratch;
  float* const moments = rows + chunk * depth;
  const PixelRange pixels = PixelsOf(task);
  for (int64_t first = pixels.begin; first < pixels.end; first += chunk) {
    const int64_t count = std::min(chunk, pixels.end - first);
    memory.kernels.multiply({.rows = count,
                             .depth = depth,
                             .columns = shape.out,
                             .a = ReadRows(task, first, count, true, rows),
                             .a_row_stride = depth,
                             .a_depth_stride = 1,
                             .b = memory.packed_weight.data(),
                             .b_panel_stride = depth * memory.kernels.panel,
                             .c = memory.stages[task.stage].z.data() + first * shape.out,
                             .c_row_stride = shape.out});
    GatherMoments(task, first, count, moments);
  }
}

void MultiplyBackward(const ConvolutionTask& task, InputGradient* target) {
  const PassMemory& memory = task.values.memory;
  const Stage& shape = memory.stage(task.stage);
  const int64_t depth = ProductDepth(shape);
  const int64_t chunk = ChunkRows(shape);
  float* const rows = task.scratch;
  float* const gradient = rows + chunk * depth;
  float* const input_gradient = gradient + chunk * shape.out;
  const PixelRange pixels = PixelsOf(task);
  for (int64_t first = pixels.begin; first < pixels.end; first += chunk) {
    const int64_t count = std::min(chunk, pixels.end - first);
    ComputeGradient(task, first, count, gradient);
    // The weights' gradient: each pixel's gradient times each of its inputs.
    memory.kernels.multiply({.rows = shape.out,
                             .depth = count,
                             .columns = depth,
                             .a = gradient,
                             .a_row_stride = 1,
                             .a_depth_stride = shape.out,
                             .b = ReadRows(task, first, count, false, rows),
                             .b_depth_stride = depth,
                             .b_panel_stride = memory.kernels.panel,
                             .c = task.group.weight_gradient.data(),
                             .c_row_stride = depth,
                             .accumulate = first > pixels.begin});
    if (target == nullptr) continue;
    memory.kernels.multiply({.rows = count,
                             .depth = shape.out,
                             .columns = depth,
                             .a = gradient,
                             .a_row_stride = shape.out,
                             .a_depth_stride = 1,
                             .b = memory.packed_weight.data(),
                             .b_panel_stride = shape.out * memory.kernels.panel,
                             .c = input_gradient,
                             .c_row_stride = depth});
    target->Take(first, count, input_gradient);
    target->EndPiece();
  }
}

}  // namespace facegate
