// Convolutions with a kernel a channel. Rows of a picture pass through a ring of as many rows as
// the kernel has, so that what is computed on the way is read from the cache.
#include <algorithm>
#include <vector>

#include "trainer/fused/convolution_parts.h"

namespace facegate {
namespace {

constexpr int64_t kPiecePixels = 96;  // of a sum, about

// Rows of a padded picture: row r lies where row r + kernel will.
class RowRing {
 public:
  RowRing(const Stage& shape, const Extent& extent, float* memory)
      : kernel_(shape.kernel),
        padding_(shape.padding),
        channels_(shape.in),
        width_(extent.width),
        stride_((extent.width + 2 * shape.padding) * shape.in),
        memory_(memory) {}

  float* row(int64_t padded) const { return memory_ + padded % kernel_ * stride_; }
  // The row's pixels, without what lies left of them.
  float* pixels(int64_t padded) const { return row(padded) + padding_ * channels_; }
  void Clear(int64_t padded) const { std::fill_n(row(padded), stride_, 0.0F); }
  void ClearSides(int64_t padded) const {
    std::fill_n(row(padded), padding_ * channels_, 0.0F);
    std::fill_n(pixels(padded) + width_ * channels_, padding_ * channels_, 0.0F);
  }
  int64_t size() const { return kernel_ * stride_; }
  // Pointers to the rows from `padded` on, as many as the kernel has.
  template <typename Pointer>
  void Window(int64_t padded, std::vector<Pointer>& rows) const {
    for (int64_t k = 0; k < kernel_; ++k) rows[static_cast<size_t>(k)] = row(padded + k);
  }

 private:
  const int64_t kernel_;
  const int64_t padding_;
  const int64_t channels_;
  const int64_t width_;
  const int64_t stride_;
  float* const memory_;
};

// One picture at a time.
class DepthwisePicture {
 public:
  explicit DepthwisePicture(const ConvolutionTask& task)
      : task_(task),
        memory_(task.values.memory),
        shape_(memory_.stage(task.stage)),
        from_(memory_.input_extent(task.stage)),
        to_(memory_.output_extent(task.stage)),
        inputs_(shape_, from_, task.scratch),
        input_gradients_(shape_, from_, task.scratch + inputs_.size()),
        rest_(task.scratch + 2 * inputs_.size()),
        input_rows_(static_cast<size_t>(shape_.kernel)),
        gradient_rows_(static_cast<size_t>(shape_.kernel)) {}

  void Forward(int64_t picture) {
    loaded_ = 0;
    const int64_t first_out = picture * to_.area();
    const int64_t piece = std::max<int64_t>(1, kPiecePixels / to_.width);
    for (int64_t y = 0; y < to_.height; ++y) {
      LoadUpTo(picture, y * shape_.stride + shape_.kernel, true);
      inputs_.Window(y * shape_.stride, input_rows_);
      const int64_t out = (first_out + y * to_.width) * shape_.out;
      memory_.kernels.depthwise({.channels = shape_.out,
                                 .outputs = to_.width,
                                 .kernel = shape_.kernel,
                                 .stride = shape_.stride,
                                 .inputs = input_rows_.data(),
                                 .weight = memory_.packed_weight.data(),
                                 .out = memory_.stages[task_.stage].z.data() + out});
      if ((y + 1) % piece != 0 && y + 1 < to_.height) continue;
      const int64_t begin = y / piece * piece;
      GatherMoments(task_, first_out + begin * to_.width, (y + 1 - begin) * to_.width, rest_);
    }
    // Rows below all kernels: a value that is kept is wanted whole.
    LoadUpTo(picture, from_.height + shape_.padding, true);
  }

  // `weight_gradient` grows.
  void Backward(int64_t picture, float* weight_gradient, InputGradient* target) {
    loaded_ = 0;
    given_ = 0;
    const int64_t piece = std::max<int64_t>(1, kPiecePixels / from_.width);
    for (int64_t y = 0; y < to_.height; ++y) {
      const int64_t top = y * shape_.stride;
      LoadUpTo(picture, top + shape_.kernel, false);
      inputs_.Window(top, input_rows_);
      input_gradients_.Window(top, gradient_rows_);
      ComputeGradient(task_, picture * to_.area() + y * to_.width, to_.width, rest_);
      memory_.kernels.depthwise_gradient({.channels = shape_.out,
                                          .outputs = to_.width,
                                          .kernel = shape_.kernel,
                                          .stride = shape_.stride,
                                          .inputs = input_rows_.data(),
                                          .weight = memory_.packed_weight.data(),
                                          .gradient = rest_,
                                          .input_gradients = gradient_rows_.data(),
                                          .weight_gradient = weight_gradient});
      if (target != nullptr) GiveUpTo(picture, top + shape_.stride, piece, *target);
    }
    if (target == nullptr) return;
    GiveUpTo(picture, from_.height + shape_.padding, piece, *target);
    target->EndPiece();
  }

 private:
  // Loads the padded rows below `end` that are not loaded yet.
  void LoadUpTo(int64_t picture, int64_t end, bool forward) {
    for (; loaded_ < end; ++loaded_) {
      if (!forward) input_gradients_.Clear(loaded_);
      const int64_t y = loaded_ - shape_.padding;
      if (y < 0 || y >= from_.height) {
        inputs_.Clear(loaded_);
        continue;
      }
      inputs_.ClearSides(loaded_);
      task_.values.Copy(static_cast<int>(task_.stage) - 1, picture * from_.area() + y * from_.width,
                        from_.width, forward, inputs_.pixels(loaded_));
    }
  }

  // Hands on the gradients of the padded rows below `end`, which are complete.
  void GiveUpTo(int64_t picture, int64_t end, int64_t piece, InputGradient& target) {
    end = std::min(end, from_.height + shape_.padding);
    for (; given_ < end; ++given_) {
      if (given_ >= loaded_) input_gradients_.Clear(given_);
      const int64_t y = given_ - shape_.padding;
      if (y < 0) continue;
      target.Take(picture * from_.area() + y * from_.width, from_.width,
                  input_gradients_.pixels(given_));
      if ((y + 1) % piece == 0) target.EndPiece();
    }
  }

  const ConvolutionTask& task_;
  const PassMemory& memory_;
  const Stage& shape_;
  const Extent& from_;
  const Extent& to_;
  const RowRing inputs_;
  const RowRing input_gradients_;
  float* const rest_;  // of the scratch memory
  std::vector<const float*> input_rows_;
  std::vector<float*> gradient_rows_;
  int64_t loaded_ = 0;  // padded rows
  int64_t given_ = 0;
};

}  // namespace

void DepthwiseForward(const ConvolutionTask& task) {
  DepthwisePicture picture(task);
  for (int64_t i = 0; i < task.group.pictures; ++i) picture.Forward(task.group.first_picture + i);
}

void DepthwiseBackward(const ConvolutionTask& task, InputGradient* target) {
  const PassMemory& memory = task.values.memory;
  const Stage& shape = memory.stage(task.stage);
  const int64_t size = shape.kernel * shape.kernel * shape.out;
  // Behind the two rings and a row of gradients.
  const int64_t ring =
      shape.kernel * (memory.input_extent(task.stage).width + 2 * shape.padding) * shape.in;
  float* const one = task.scratch + 2 * ring + memory.output_extent(task.stage).width * shape.out;
  float* const sum = task.group.weight_gradient.data();
  std::fill_n(sum, size, 0.0F);
  DepthwisePicture picture(task);
  for (int64_t i = 0; i < task.group.pictures; ++i) {
    std::fill_n(one, size, 0.0F);
    picture.Backward(task.group.first_picture + i, one, target);
    for (int64_t j = 0; j < size; ++j) sum[j] += one[j];
  }
}

}  // namespace facegate
