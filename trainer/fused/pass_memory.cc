#include "trainer/fused/pass_memory.h"

#include <algorithm>
#include <utility>

namespace facegate {
namespace {

// Groups of pictures: the most workers that find something to do.
constexpr int64_t kMaxGroups = 16;
constexpr int64_t kScratchFloats = 98304;  // of a matrix product's rows; 384 KiB
constexpr int64_t kRowMultiple = 24;       // of tiles and of blocks of rows
constexpr int64_t kLeastRows = 48;
constexpr int64_t kMostRows = 240;

int64_t PixelsOf(const PassMemory& memory, size_t stage) {
  return memory.shape.batch * memory.output_extent(stage).area();
}

int64_t WeightSize(const Stage& stage) {
  if (stage.kind == StageKind::kDepthwise) return stage.kernel * stage.kernel * stage.out;
  return stage.out * ProductDepth(stage);
}

// Floats that a worker needs at once, the larger way: back.
int64_t ScratchSize(const Stage& stage, const Extent& input, const Extent& output) {
  if (stage.kind == StageKind::kDepthwise) {
    const int64_t ring = stage.kernel * (input.width + 2 * stage.padding) * stage.in;
    return 2 * ring + output.width * stage.out + 2 * stage.out + WeightSize(stage);
  }
  return ChunkRows(stage) * (2 * ProductDepth(stage) + stage.out) + 2 * stage.out;
}

// Gradients of values live from the stage that reads a value to the stage that made it. Where a
// value is also added later, that stage's gradient grows into its own: they share a block.
class GradientPlan {
 public:
  explicit GradientPlan(const PassMemory& memory) : memory_(memory) {}

  // The block of each stage's gradient.
  std::vector<size_t> Assign() {
    const size_t count = memory_.stages.size();
    std::vector<size_t> blocks(count);
    blocks[count - 1] = Take(SizeOf(count - 1));
    for (size_t i = count - 1; i > 0; --i) {
      const size_t adder = AdderOf(i - 1);
      blocks[i - 1] = adder < count ? blocks[adder] : Take(SizeOf(i - 1));
      if (memory_.stage(i).added == Stage::kNothing) free_[blocks[i]] = true;
    }
    return blocks;
  }

  const std::vector<int64_t>& sizes() const { return sizes_; }

 private:
  int64_t SizeOf(size_t i) const { return PixelsOf(memory_, i) * memory_.stage(i).out; }

  // The stage that adds value i; the count of stages where none does.
  size_t AdderOf(size_t i) const {
    const auto& stages = memory_.shape.stages;
    const auto found = std::find_if(stages.begin(), stages.end(), [i](const Stage& stage) {
      return stage.added == static_cast<int>(i);
    });
    return static_cast<size_t>(found - stages.begin());
  }

  size_t Take(int64_t size) {
    size_t best = sizes_.size();
    for (size_t i = 0; i < sizes_.size(); ++i) {
      if (free_[i] && (best == sizes_.size() || sizes_[i] > sizes_[best])) best = i;
    }
    if (best == sizes_.size()) {
      sizes_.push_back(0);
      free_.push_back(true);
    }
    sizes_[best] = std::max(sizes_[best], size);
    free_[best] = false;
    return best;
  }

  const PassMemory& memory_;
  std::vector<int64_t> sizes_;
  std::vector<bool> free_;
};

}  // namespace

int64_t ProductDepth(const Stage& stage) {
  const int64_t depth = stage.kernel * stage.kernel * stage.in;
  return (depth + kChannelMultiple - 1) / kChannelMultiple * kChannelMultiple;
}

int64_t ChunkRows(const Stage& stage) {
  const int64_t rows = kScratchFloats / (2 * ProductDepth(stage) + stage.out);
  return std::clamp(rows / kRowMultiple * kRowMultiple, kLeastRows, kMostRows);
}

ChannelSums::ChannelSums(int64_t most_channels) {
  const auto count = static_cast<size_t>(most_channels);
  for (int kind = 0; kind < kKinds; ++kind) {
    pieces_[kind].resize(count);
    totals_[kind].resize(count);
  }
}

void ChannelSums::Reset(int64_t channels) {
  channels_ = channels;
  for (int kind = 0; kind < kKinds; ++kind) {
    std::fill_n(pieces_[kind].begin(), channels, 0.0F);
    std::fill_n(totals_[kind].begin(), channels, 0.0);
  }
}

void ChannelSums::Absorb() {
  for (int kind = 0; kind < kKinds; ++kind) {
    float* const piece = pieces_[kind].data();
    double* const total = totals_[kind].data();
    for (int64_t c = 0; c < channels_; ++c) {
      total[c] += static_cast<double>(piece[c]);
      piece[c] = 0.0F;
    }
  }
}

ChannelMoments::ChannelMoments(int64_t most_channels)
    : mean_(static_cast<size_t>(most_channels)), squares_(static_cast<size_t>(most_channels)) {}

void ChannelMoments::Reset(int64_t channels) {
  channels_ = channels;
  count_ = 0;
  std::fill_n(mean_.begin(), channels, 0.0);
  std::fill_n(squares_.begin(), channels, 0.0);
}

template <typename Number>
void ChannelMoments::Merge(int64_t count, const Number* mean, const Number* squares) {
  if (count == 0) return;
  const int64_t all = count_ + count;
  const double share = static_cast<double>(count) / static_cast<double>(all);
  const double weight = static_cast<double>(count_) * share;
  double* const own_mean = mean_.data();
  double* const own_squares = squares_.data();
  for (int64_t c = 0; c < channels_; ++c) {
    const double apart = static_cast<double>(mean[c]) - own_mean[c];
    own_mean[c] += apart * share;
    own_squares[c] += static_cast<double>(squares[c]) + apart * apart * weight;
  }
  count_ = all;
}

void ChannelMoments::Add(int64_t count, const float* mean, const float* squares) {
  Merge(count, mean, squares);
}

void ChannelMoments::Add(const ChannelMoments& other) {
  Merge(other.count_, other.mean_.data(), other.squares_.data());
}

PassMemory::PassMemory(FusedPass::Shape shape_of_pass, const SimdKernels& kernel_set)
    : shape(std::move(shape_of_pass)), kernels(kernel_set) {
  int64_t most_channels = 0;
  int64_t most_weights = 0;
  int64_t most_scratch = 0;
  stages.resize(shape.stages.size());
  for (size_t i = 0; i < stages.size(); ++i) {
    const Stage& one = stage(i);
    most_channels = std::max({most_channels, one.out, one.in});
    most_weights = std::max(most_weights, WeightSize(one));
    most_scratch = std::max(most_scratch, ScratchSize(one, input_extent(i), output_extent(i)));
    if (one.added == Stage::kNothing) continue;
    stages[i].keeps_value = true;
    if (one.added >= 0) stages[static_cast<size_t>(one.added)].keeps_value = true;
  }
  for (size_t i = 0; i < stages.size(); ++i) {
    StageMemory& one = stages[i];
    const int64_t channels = stage(i).out;
    one.z = FloatBlock(PixelsOf(*this, i) * channels);
    // The last value is the run's output.
    if (one.keeps_value && i + 1 < stages.size()) {
      one.value = FloatBlock(PixelsOf(*this, i) * channels);
    }
    one.channels = FloatBlock(4 * channels);
    one.mean = one.channels.data();
    one.inverse = one.mean + channels;
    one.scale = one.inverse + channels;
    one.shift = one.scale + channels;
  }
  GradientPlan plan(*this);
  const std::vector<size_t> blocks = plan.Assign();
  gradients.reserve(plan.sizes().size());
  for (const int64_t size : plan.sizes()) gradients.emplace_back(size);
  for (size_t i = 0; i < stages.size(); ++i) stages[i].gradient = gradients[blocks[i]].data();

  const int64_t group_count = std::min(shape.batch, kMaxGroups);
  groups.reserve(static_cast<size_t>(group_count));
  for (int64_t i = 0; i < group_count; ++i) {
    GroupMemory& group = groups.emplace_back(most_channels);
    group.first_picture = shape.batch * i / group_count;
    group.pictures = shape.batch * (i + 1) / group_count - group.first_picture;
    group.weight_gradient = FloatBlock(most_weights);
  }
  scratch.reserve(static_cast<size_t>(shape.workers));
  for (int i = 0; i < shape.workers; ++i) scratch.emplace_back(most_scratch);
  packed_weight = FloatBlock(most_weights);
  coefficients = FloatBlock(3 * most_channels);
}

}  // namespace facegate
