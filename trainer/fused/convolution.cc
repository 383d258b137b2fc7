#include "trainer/fused/convolution.h"

#include <algorithm>

#include "trainer/fused/convolution_parts.h"

namespace facegate {
namespace {

// A matrix in memory, and how far apart its entries lie.
struct MatrixView {
  const float* data = nullptr;
  int64_t rows = 0;     // that exist; the packed matrix may have more, of zeros
  int64_t columns = 0;  // likewise
  int64_t row_stride = 0;
  int64_t column_stride = 0;
};

// Writes the panel of columns `first` to `first + width`, `depth` rows.
void PackPanel(const MatrixView& from, int64_t depth, int64_t first, int64_t width, float* to) {
  for (int64_t row = 0; row < depth; ++row) {
    for (int64_t j = 0; j < width; ++j) {
      const int64_t column = first + j;
      const bool exists = row < from.rows && column < from.columns;
      *to++ = exists ? from.data[row * from.row_stride + column * from.column_stride] : 0.0F;
    }
  }
}

}  // namespace

void PackWeight(PassMemory& memory, size_t stage, const float* weight, bool forward,
                Workers& workers) {
  const Stage& shape = memory.stage(stage);
  float* const packed = memory.packed_weight.data();
  const int64_t taps = shape.kernel * shape.kernel;
  if (shape.kind == StageKind::kDepthwise) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t c = 0; c < shape.out; ++c) packed[tap * shape.out + c] = weight[c * taps + tap];
    }
    return;
  }
  const int64_t inputs = taps * shape.in;
  const MatrixView view = forward ? MatrixView{.data = weight,
                                               .rows = inputs,
                                               .columns = shape.out,
                                               .row_stride = 1,
                                               .column_stride = inputs}
                                  : MatrixView{.data = weight,
                                               .rows = shape.out,
                                               .columns = inputs,
                                               .row_stride = inputs,
                                               .column_stride = 1};
  const int64_t depth = forward ? ProductDepth(shape) : shape.out;
  const int64_t columns = forward ? shape.out : ProductDepth(shape);
  const int64_t panel = memory.kernels.panel;
  const auto panels = static_cast<int>((columns + panel - 1) / panel);
  workers.Run(panels, [&](int i, int) {
    const int64_t first = i * panel;
    PackPanel(view, depth, first, std::min(panel, columns - first), packed + first * depth);
  });
}

void GatherMoments(const ConvolutionTask& task, int64_t first, int64_t rows, float* scratch) {
  const PassMemory& memory = task.values.memory;
  const int64_t channels = memory.stage(task.stage).out;
  float* const squares = scratch + channels;
  memory.kernels.moments({.rows = rows,
                          .channels = channels,
                          .z = memory.stages[task.stage].z.data() + first * channels,
                          .mean = scratch,
                          .squares = squares});
  task.group.moments.Add(rows, scratch, squares);
}

void ComputeGradient(const ConvolutionTask& task, int64_t first, int64_t rows, float* out) {
  const PassMemory& memory = task.values.memory;
  const StageMemory& own = memory.stages[task.stage];
  const int64_t channels = memory.stage(task.stage).out;
  const float* const coefficients = memory.coefficients.data();
  memory.kernels.norm_gradient({.rows = rows,
                                .channels = channels,
                                .gradient = own.gradient + first * channels,
                                .z = own.z.data() + first * channels,
                                .by_gradient = coefficients,
                                .by_z = coefficients + channels,
                                .constant = coefficients + 2 * channels,
                                .out = out});
}

void ConvolveForward(const ConvolutionTask& task) {
  const Stage& shape = task.values.memory.stage(task.stage);
  task.group.moments.Reset(shape.out);
  shape.kind == StageKind::kDepthwise ? DepthwiseForward(task) : MultiplyForward(task);
}

void ConvolveBackward(const ConvolutionTask& task, InputGradient* target) {
  const Stage& shape = task.values.memory.stage(task.stage);
  shape.kind == StageKind::kDepthwise ? DepthwiseBackward(task, target)
                                      : MultiplyBackward(task, target);
}

}  // namespace facegate
