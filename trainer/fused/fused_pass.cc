#include "trainer/fused/fused_pass.h"

#include <cmath>
#include <utility>

#include "trainer/fused/convolution.h"
#include "trainer/fused/pass_memory.h"
#include "trainer/fused/value_rows.h"

namespace facegate {
namespace {

// A part of `total` things for each of so many tasks.
struct Share {
  int64_t begin = 0;
  int64_t end = 0;
};

Share ShareOf(int64_t total, int task, int tasks) {
  return {.begin = total * task / tasks, .end = total * (task + 1) / tasks};
}

// Turns the gathered moments into what the batch norm does to z; updates the running statistics.
void FinishNorm(PassMemory& memory, size_t stage, const StageWeights& weights) {
  const int64_t channels = memory.stage(stage).out;
  ChannelMoments all(channels);
  all.Reset(channels);
  for (const GroupMemory& group : memory.groups) all.Add(group.moments);
  const auto count = static_cast<double>(all.count());
  const StageMemory& own = memory.stages[stage];
  const auto grow = [](float& running, double now) {
    running = static_cast<float>((1.0 - FusedPass::kMomentum) * static_cast<double>(running) +
                                 FusedPass::kMomentum * now);
  };
  for (int64_t c = 0; c < channels; ++c) {
    const double mean = all.mean()[static_cast<size_t>(c)];
    const double squares = all.squares()[static_cast<size_t>(c)];
    const double inverse = 1.0 / std::sqrt(squares / count + FusedPass::kEpsilon);
    const double scale = inverse * static_cast<double>(weights.gamma[c]);
    own.mean[c] = static_cast<float>(mean);
    own.inverse[c] = static_cast<float>(inverse);
    own.scale[c] = static_cast<float>(scale);
    own.shift[c] = static_cast<float>(static_cast<double>(weights.beta[c]) - mean * scale);
    grow(weights.running_mean[c], mean);
    grow(weights.running_var[c], squares / (count - 1.0));
  }
}

// Sums of the groups become gradients of the batch norm and the PReLU, and the coefficients of z's
// gradient: scale·(g - mean of g - x·mean of g·x), where x is the normalised z.
void FinishSums(PassMemory& memory, size_t stage, const StageGradients& gradients) {
  const int64_t channels = memory.stage(stage).out;
  const StageMemory& own = memory.stages[stage];
  const auto count = static_cast<double>(memory.shape.batch * memory.output_extent(stage).area());
  float* const by_gradient = memory.coefficients.data();
  float* const by_z = by_gradient + channels;
  float* const constant = by_z + channels;
  for (int64_t c = 0; c < channels; ++c) {
    double sums[3] = {};
    for (const GroupMemory& group : memory.groups) {
      for (int kind = 0; kind < 3; ++kind) {
        sums[kind] += group.sums.total(kind)[static_cast<size_t>(c)];
      }
    }
    const double sum = sums[ChannelSums::kGradient];
    const auto inverse = static_cast<double>(own.inverse[c]);
    const auto scale = static_cast<double>(own.scale[c]);
    const double gamma = sums[ChannelSums::kGradientByZ] * inverse;
    gradients.gamma[c] = static_cast<float>(gamma);
    gradients.beta[c] = static_cast<float>(sum);
    if (gradients.slope != nullptr) {
      gradients.slope[c] = static_cast<float>(sums[ChannelSums::kSlope]);
    }
    const double slant = -scale * inverse * gamma / count;
    by_gradient[c] = own.scale[c];
    by_z[c] = static_cast<float>(slant);
    constant[c] =
        static_cast<float>(-scale * sum / count - slant * static_cast<double>(own.mean[c]));
  }
}

// Takes the gradient of a value through its addition and its activation.
class Gate final : public InputGradient {
 public:
  Gate(const ValueRows& values, size_t stage, GroupMemory& group)
      : values_(values), stage_(stage), group_(group) {
    group_.sums.Reset(values_.memory.stage(stage).out);
  }

  void Take(int64_t first, int64_t rows, const float* gradient) override {
    const PassMemory& memory = values_.memory;
    const StageMemory& own = memory.stages[stage_];
    const int64_t channels = memory.stage(stage_).out;
    float* const out = own.gradient + first * channels;
    memory.kernels.gate({.rows = rows,
                         .channels = channels,
                         .gradient = gradient,
                         // The gradient lies here already where the value is added later.
                         .added = adds_ ? out : nullptr,
                         .z = own.z.data() + first * channels,
                         .scale = own.scale,
                         .shift = own.shift,
                         .slope = values_.weights[stage_].slope,
                         .mean = own.mean,
                         .out = out,
                         .sum = group_.sums.piece(ChannelSums::kGradient),
                         .sum_by_z = group_.sums.piece(ChannelSums::kGradientByZ),
                         .slope_sum = group_.sums.piece(ChannelSums::kSlope)});
  }
  void EndPiece() override { group_.sums.Absorb(); }

  void set_adds(bool adds) { adds_ = adds; }

 private:
  const ValueRows& values_;
  const size_t stage_;
  GroupMemory& group_;
  bool adds_ = false;
};

// The gradient of the run's input.
class RunInputGradient final : public InputGradient {
 public:
  // `added`: the gradient of the value that the input was added to; null: none.
  RunInputGradient(int64_t channels, const float* added, float* out)
      : channels_(channels), added_(added), out_(out) {}

  void Take(int64_t first, int64_t rows, const float* gradient) override {
    const int64_t begin = first * channels_;
    for (int64_t i = 0; i < rows * channels_; ++i) {
      out_[begin + i] = added_ == nullptr ? gradient[i] : gradient[i] + added_[begin + i];
    }
  }
  void EndPiece() override {}

 private:
  const int64_t channels_;
  const float* const added_;
  float* const out_;
};

// The groups' gradients of a stage's weights, added up in order.
void FinishWeight(const PassMemory& memory, size_t stage, float* gradient, Workers& workers) {
  const Stage& shape = memory.stage(stage);
  const bool depthwise = shape.kind == StageKind::kDepthwise;
  const int64_t taps = shape.kernel * shape.kernel;
  // A row of the sums, and what of it belongs to the weight.
  const int64_t rows = depthwise ? taps : shape.out;
  const int64_t stride = depthwise ? shape.out : ProductDepth(shape);
  const int64_t used = depthwise ? shape.out : taps * shape.in;
  const int tasks = memory.groups_count();
  workers.Run(tasks, [&](int task, int) {
    const Share share = ShareOf(rows, task, tasks);
    for (int64_t row = share.begin; row < share.end; ++row) {
      float* const to = gradient + (depthwise ? row : row * used);
      const int64_t step = depthwise ? taps : 1;
      for (int64_t i = 0; i < used; ++i) to[i * step] = 0.0F;
      for (const GroupMemory& group : memory.groups) {
        const float* const from = group.weight_gradient.data() + row * stride;
        for (int64_t i = 0; i < used; ++i) to[i * step] += from[i];
      }
    }
  });
}

// The stage that adds the value; Stage::kNothing where none does.
int AdderOf(const PassMemory& memory, int value) {
  for (size_t i = 0; i < memory.stages.size(); ++i) {
    if (memory.stage(i).added == value) return static_cast<int>(i);
  }
  return Stage::kNothing;
}

}  // namespace

FusedPass::FusedPass(Shape shape, const SimdKernels& kernels)
    : memory_(std::make_unique<PassMemory>(std::move(shape), kernels)) {}

FusedPass::~FusedPass() = default;

const FusedPass::Shape& FusedPass::shape() const { return memory_->shape; }

void FusedPass::Forward(const float* input, std::span<const StageWeights> weights, float* output,
                        Workers& workers) {
  PassMemory& memory = *memory_;
  const ValueRows values{.memory = memory, .input = input, .weights = weights};
  for (size_t i = 0; i < memory.stages.size(); ++i) {
    PackWeight(memory, i, weights[i].weight, true, workers);
    workers.Run(memory.groups_count(), [&](int group, int worker) {
      ConvolveForward({.values = values,
                       .stage = i,
                       .group = memory.groups[static_cast<size_t>(group)],
                       .scratch = memory.scratch[static_cast<size_t>(worker)].data()});
    });
    FinishNorm(memory, i, weights[i]);
  }
  const size_t last = memory.stages.size() - 1;
  const int64_t area = memory.output_extent(last).area();
  workers.Run(memory.groups_count(), [&](int group, int) {
    const GroupMemory& one = memory.groups[static_cast<size_t>(group)];
    values.Compute(static_cast<int>(last), one.first_picture * area, one.pictures * area,
                   output + one.first_picture * area * memory.stage(last).out);
  });
}

void FusedPass::Backward(const float* input, std::span<const StageWeights> weights,
                         const float* output_gradient, std::span<const StageGradients> gradients,
                         float* input_gradient, Workers& workers) {
  PassMemory& memory = *memory_;
  const ValueRows values{.memory = memory, .input = input, .weights = weights};
  const size_t last = memory.stages.size() - 1;
  const int64_t area = memory.output_extent(last).area();
  workers.Run(memory.groups_count(), [&](int group, int) {
    GroupMemory& one = memory.groups[static_cast<size_t>(group)];
    Gate gate(values, last, one);
    for (int64_t i = one.first_picture; i < one.first_picture + one.pictures; ++i) {
      gate.Take(i * area, area, output_gradient + i * area * memory.stage(last).out);
      gate.EndPiece();
    }
  });
  const int input_adder = AdderOf(memory, Stage::kRunInput);
  for (size_t i = last + 1; i-- > 0;) {
    FinishSums(memory, i, gradients[i]);
    PackWeight(memory, i, weights[i].weight, false, workers);
    const bool adds = i > 0 && AdderOf(memory, static_cast<int>(i) - 1) != Stage::kNothing;
    workers.Run(memory.groups_count(), [&](int group, int worker) {
      const ConvolutionTask task{.values = values,
                                 .stage = i,
                                 .group = memory.groups[static_cast<size_t>(group)],
                                 .scratch = memory.scratch[static_cast<size_t>(worker)].data()};
      if (i > 0) {
        Gate gate(values, i - 1, task.group);
        gate.set_adds(adds);
        ConvolveBackward(task, &gate);
      } else if (input_gradient != nullptr) {
        const float* const added = input_adder == Stage::kNothing
                                       ? nullptr
                                       : memory.stages[static_cast<size_t>(input_adder)].gradient;
        RunInputGradient target(memory.stage(0).in, added, input_gradient);
        ConvolveBackward(task, &target);
      } else {
        ConvolveBackward(task, nullptr);
      }
    });
    FinishWeight(memory, i, gradients[i].weight, workers);
  }
}

}  // namespace facegate
