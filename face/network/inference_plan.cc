#include "face/network/inference_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "face/base/check.h"
#include "face/network/shape_map.h"

namespace facegate::network {
namespace {

constexpr double kNormEpsilon = 1e-5;  // of the originals' batch norms

std::vector<float> NumbersOf(const Tensor& tensor) {
  std::vector<float> numbers(tensor.bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), tensor.bytes.data(), numbers.size() * sizeof(float));
  return numbers;
}

// A batch norm at inference: x · scale + shift.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

std::vector<float> ToFloats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Writes steps, and changes the last ones as layers come that can become part of them.
class Planner {
 public:
  Planner(const Description& description, const TensorMap& tensors) : tensors_(tensors) {
    plan_.input = description.input;
    plan_.outputs = description.outputs;
    plan_.values = kInputValue + 1;
    channels_ = description.input.channels;
  }

  // By value: `prefix` is name_ itself within chains.
  void Follow(const std::vector<Layer>& layers, std::string prefix) {  // NOLINT
    for (const Layer& layer : layers) {
      const std::string outer = std::exchange(name_, prefix + layer.name + ".");
      std::visit(*this, layer.kind);
      name_ = outer;
    }
  }

  void operator()(const Convolution& layer) {
    ConvolutionStep step{.shape = layer.shape, .weight = Numbers("weight")};
    std::vector<double> bias(
        layer.bias ? Doubles("bias") : std::vector<double>(static_cast<size_t>(layer.shape.out)));
    FoldBefore(layer.shape.padding == 0,
               [&](const Affine& norm) { Absorb(norm, InputsOf(layer.shape), step.weight, bias); });
    Emit(std::move(step), layer.shape.out, bias);
  }
  void operator()(const Linear& layer) {
    LinearStep step{.in = layer.in, .out = layer.out, .weight = Numbers("weight")};
    std::vector<double> bias(layer.bias ? Doubles("bias")
                                        : std::vector<double>(static_cast<size_t>(layer.out)));
    FoldBefore(true, [&](const Affine& norm) {
      const auto channels = norm.scale.size();
      const auto per_channel = static_cast<size_t>(layer.in) / channels;
      Absorb(norm, {.groups = 1, .channels = channels, .places = per_channel}, step.weight, bias);
    });
    Emit(std::move(step), layer.out, bias);
  }
  void operator()(const BatchNorm& layer) {
    Affine norm = NormOf(layer);
    if (norm_.has_value()) {
      for (size_t c = 0; c < norm.scale.size(); ++c) {
        norm.shift[c] += norm.scale[c] * norm_->shift[c];
        norm.scale[c] *= norm_->scale[c];
      }
      norm_.reset();
    }
    if (!FoldAfter(norm)) norm_ = std::move(norm);
  }
  void operator()(const PRelu& /*layer*/) { Activate(Numbers("weight")); }
  void operator()(const Relu& /*layer*/) {
    Materialise();
    Activate(std::vector<float>(static_cast<size_t>(channels_)));
  }
  void operator()(const Flatten& /*layer*/) {}  // a LinearStep takes maps, too
  void operator()(const Dropout& /*layer*/) {}
  void operator()(const Subsample& layer) {
    Materialise();
    if (layer.stride != 1) Emit(SubsampleStep{layer.stride}, channels_, {});
  }
  void operator()(const ChannelGate& layer) {
    Materialise();
    Emit(GateStep{.channels = layer.channels,
                  .squeezed = layer.channels / layer.reduction,
                  .squeeze = Numbers("fc1.weight"),
                  .excite = Numbers("fc2.weight")},
         layer.channels, {});
  }
  void operator()(const Chain& chain) { Follow(chain.layers, name_); }
  void operator()(const Residual& residual) {
    Materialise();
    const ValueId input = value_;
    const int64_t input_channels = channels_;
    Pin(input);
    Follow(residual.shortcut, name_);
    Materialise();
    const ValueId added = value_;
    Pin(added);
    value_ = input;
    channels_ = input_channels;
    Follow(residual.layers, name_);
    Materialise();
    Step* const last = Open();
    if (last == nullptr || last->finish.added.has_value() || !last->finish.slope.empty()) {
      Emit(CopyStep{}, channels_, {});
    }
    plan_.steps.back().finish.added = added;
  }

  InferencePlan Finished() {
    Materialise();
    plan_.result = value_;
    return std::move(plan_);
  }

 private:
  struct Inputs {
    int64_t groups = 1;
    size_t channels = 0;  // of the input
    size_t places = 1;    // weights for each of them
  };
  static Inputs InputsOf(const ConvShape& shape) {
    return {.groups = shape.groups,
            .channels = static_cast<size_t>(shape.in),
            .places = static_cast<size_t>(shape.kernel * shape.kernel)};
  }

  const Tensor& Named(const char* name) const {
    const auto found = tensors_.find(name_ + name);
    FACEGATE_CHECK(found != tensors_.end());  // the shapes were compared before
    return found->second;
  }
  std::vector<float> Numbers(const char* name) const { return NumbersOf(Named(name)); }
  std::vector<double> Doubles(const char* name) const {
    const std::vector<float> numbers = Numbers(name);
    return {numbers.begin(), numbers.end()};
  }
  Affine NormOf(const BatchNorm& layer) const {
    Affine norm{.scale = Doubles("weight"), .shift = Doubles("bias")};
    const std::vector<double> mean = Doubles("running_mean");
    const std::vector<double> variance = Doubles("running_var");
    for (size_t c = 0; c < static_cast<size_t>(layer.channels); ++c) {
      norm.scale[c] /= std::sqrt(variance[c] + kNormEpsilon);
      norm.shift[c] -= mean[c] * norm.scale[c];
    }
    return norm;
  }

  // The step whose output is the present value, while nothing has read that; null otherwise.
  Step* Open() {
    if (plan_.steps.empty() || pinned_ == value_) return nullptr;
    Step& last = plan_.steps.back();
    return last.to == value_ && !last.scaled.has_value() ? &last : nullptr;
  }
  // Others read this value.
  void Pin(ValueId value) { pinned_ = value; }

  void Emit(StepKind kind, int64_t channels, const std::vector<double>& bias) {
    FACEGATE_CHECK(!norm_.has_value());
    const ValueId from = scaled_.value_or(value_);
    scaled_.reset();
    const bool biased = std::any_of(bias.begin(), bias.end(), [](double one) { return one != 0; });
    value_ = plan_.values++;
    channels_ = channels;
    plan_.steps.push_back({.kind = std::move(kind),
                           .from = from,
                           .to = value_,
                           .channels = channels,
                           .finish = {.bias = biased ? ToFloats(bias) : std::vector<float>(),
                                      .added = {},
                                      .slope = {}},
                           .scaled = {}});
  }

  // The norm is exactly part of the convolution or linear layer that has just been written.
  bool FoldAfter(const Affine& norm) {
    Step* const step = Open();
    if (step == nullptr || step->finish.added.has_value() || !step->finish.slope.empty()) {
      return false;
    }
    std::vector<float>* weight = nullptr;
    if (auto* const convolution = std::get_if<ConvolutionStep>(&step->kind)) {
      weight = &convolution->weight;
    } else if (auto* const linear = std::get_if<LinearStep>(&step->kind)) {
      weight = &linear->weight;
    } else {
      return false;
    }
    const size_t outputs = norm.scale.size();
    const size_t row = weight->size() / outputs;
    std::vector<float>& bias = step->finish.bias;
    bias.resize(outputs);
    for (size_t o = 0; o < outputs; ++o) {
      for (size_t i = 0; i < row; ++i) {
        float& one = (*weight)[o * row + i];
        one = static_cast<float>(one * norm.scale[o]);
      }
      bias[o] = static_cast<float>(bias[o] * norm.scale[o] + norm.shift[o]);
    }
    return true;
  }

  // A norm that waits becomes part of the layer that follows where that is exact: at a padded
  // border, the norm of a zero is not a zero.
  template <typename Take>
  void FoldBefore(bool exact, const Take& take) {
    if (!norm_.has_value()) return;
    if (exact) {
      take(*std::exchange(norm_, std::nullopt));
    } else {
      WriteScaled();
    }
  }

  // weight · (scale · x + shift) + bias, as weight' · x + bias'.
  static void Absorb(const Affine& norm, const Inputs& inputs, std::vector<float>& weight,
                     std::vector<double>& bias) {
    const size_t outputs = bias.size();
    const auto groups = static_cast<size_t>(inputs.groups);
    const size_t channels = inputs.channels / groups;  // that one output reads
    for (size_t o = 0; o < outputs; ++o) {
      const size_t first = o / (outputs / groups) * channels;
      for (size_t c = 0; c < channels; ++c) {
        for (size_t place = 0; place < inputs.places; ++place) {
          float& one = weight[(o * channels + c) * inputs.places + place];
          bias[o] += one * norm.shift[first + c];
          one = static_cast<float>(one * norm.scale[first + c]);
        }
      }
    }
  }

  // The norm that waits becomes a second output of the step that made its input; the next step
  // reads that.
  void WriteScaled() {
    const Affine norm = *std::exchange(norm_, std::nullopt);
    auto maker = std::find_if(plan_.steps.begin(), plan_.steps.end(),
                              [&](const Step& step) { return step.to == value_; });
    if (maker == plan_.steps.end() || maker->scaled.has_value()) {
      Emit(CopyStep{}, channels_, {});
      maker = std::prev(plan_.steps.end());
    }
    scaled_ = plan_.values++;
    maker->scaled =
        Scaled{.to = *scaled_, .scale = ToFloats(norm.scale), .shift = ToFloats(norm.shift)};
  }

  // Makes the present value one that others can read.
  void Materialise() {
    if (norm_.has_value()) WriteScaled();
    if (!scaled_.has_value()) return;
    value_ = *std::exchange(scaled_, std::nullopt);
  }

  void Activate(std::vector<float> slope) {
    Materialise();
    Step* const step = Open();
    if (step == nullptr || !step->finish.slope.empty()) {
      Emit(CopyStep{}, static_cast<int64_t>(slope.size()), {});
    }
    plan_.steps.back().finish.slope = std::move(slope);
  }

  const TensorMap& tensors_;
  InferencePlan plan_;
  std::string name_;  // of the layer at hand, with a dot at its end
  ValueId value_ = kInputValue;
  int64_t channels_ = 0;           // of it
  std::optional<ValueId> pinned_;  // read by a residual besides
  std::optional<Affine> norm_;     // to be applied to the present value
  std::optional<ValueId> scaled_;  // the present value with its norm, where that is written
};

}  // namespace

StatusOr<InferencePlan> PlanInference(const Description& description, const TensorMap& tensors) {
  const ShapeDifference difference = CompareShapes(ShapesOf(description), tensors);
  if (difference.count > 0) {
    return InvalidArgument(fmt::format("{} tensors are not those of {}: {}", difference.count,
                                       description.name, difference.first.front()));
  }
  for (const auto& [name, tensor] : tensors) {
    if (!IsBatchCounter(name) && tensor.dtype != DType::kF32) {
      return InvalidArgument(
          fmt::format("{} is of type {}, expected F32", name, DTypeName(tensor.dtype)));
    }
  }
  Planner planner(description, tensors);
  planner.Follow(description.layers, "");
  return planner.Finished();
}

}  // namespace facegate::network
