#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace facegate {

enum class StageKind {
  kPicture,    // a convolution over few channels; only as the first stage
  kPointwise,  // 1×1
  kDepthwise,  // a kernel a channel
};

// A convolution without a bias, batch norm, and what follows them in a run of stages. The output of
// stage i is value i; the run's input is value kRunInput.
struct Stage {
  static constexpr int kNothing = -2;
  static constexpr int kRunInput = -1;

  StageKind kind = StageKind::kPointwise;
  int64_t in = 0;  // channels
  int64_t out = 0;
  int64_t kernel = 1;  // pixels, as are stride and padding
  int64_t stride = 1;
  int64_t padding = 0;
  bool activated = false;  // PReLU
  int added = kNothing;    // the value that is added last
};

// The kind of stage for a convolution with this many `groups`; none where there is no stage for it.
std::optional<StageKind> KindOf(const Stage& shape, int64_t groups, bool first);

// Sides of pictures, in pixels.
struct Extent {
  int64_t height = 0;
  int64_t width = 0;

  int64_t area() const { return height * width; }
  bool operator==(const Extent&) const = default;
};

// Returns the extents of the run's input and of each value, in order; nothing where a picture is
// too small.
std::optional<std::vector<Extent>> Extents(std::span<const Stage> stages, Extent input);

// Tensors of a stage: pixels and weights have their channels last.
struct StageWeights {
  const float* weight = nullptr;  // out × kernel × kernel × in; depthwise: out × kernel × kernel
  const float* gamma = nullptr;  // of the batch norm
  const float* beta = nullptr;
  const float* slope = nullptr;  // null where the stage is not activated
  float* running_mean = nullptr;
  float* running_var = nullptr;
};

struct StageGradients {
  float* weight = nullptr;
  float* gamma = nullptr;
  float* beta = nullptr;
  float* slope = nullptr;  // null where the stage is not activated
};

}  // namespace facegate
