#include "face/network/inference_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "face/base/check.h"
#include "face/network/channel_scale.h"
#include "face/network/layer_tensors.h"
#include "face/network/output_shape.h"
#include "face/network/shape_map.h"

namespace facegate::network {
namespace {

std::vector<float> ToFloats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Writes steps, and changes the last ones as layers come that can become part of them.
class Planner : private LayerTensors {
 public:
  Planner(const Description& description, const TensorMap& tensors) : LayerTensors(tensors) {
    plan_.input = description.input;
    plan_.outputs = description.outputs;
    plan_.values = kInputValue + 1;
    lists_ = {false};
    shape_ = {description.input.channels, description.input.height, description.input.width};
  }

  // By value: `prefix` is name_ itself within chains.
  void Follow(std::span<const Layer> layers, std::string prefix) {  // NOLINT
    for (const Layer& layer : layers) {
      const std::string outer = std::exchange(name_, prefix + layer.name + ".");
      Extents output = OutputOf(layer.kind, shape_).value();  // checked before
      std::visit(*this, layer.kind);
      shape_ = std::move(output);
      name_ = outer;
    }
  }

  void operator()(const Convolution& layer) {
    ConvolutionStep step{.shape = layer.shape, .weight = Numbers("weight")};
    std::vector<double> bias(
        layer.bias ? Doubles("bias") : std::vector<double>(static_cast<size_t>(layer.shape.out)));
    FoldIntoNext(layer.shape.padding == 0, InputsOf(layer.shape), step.weight, bias);
    Emit(std::move(step), layer.shape.out, bias);
  }
  void operator()(const OblongConvolution& layer) {
    OblongStep step{.shape = layer, .weight = Numbers("weight")};
    std::vector<double> bias(layer.bias ? Doubles("bias")
                                        : std::vector<double>(static_cast<size_t>(layer.out)));
    const Sides& kernel = layer.window.kernel;
    const FoldInputs inputs{.groups = layer.groups,
                            .channels = static_cast<size_t>(layer.in),
                            .places = static_cast<size_t>(kernel.height * kernel.width)};
    FoldIntoNext(layer.window.padding == Borders{}, inputs, step.weight, bias);
    Emit(std::move(step), layer.out, bias);
  }
  void operator()(const Linear& layer) {
    LinearStep step{.in = layer.in, .out = layer.out, .weight = Numbers("weight")};
    std::vector<double> bias(layer.bias ? Doubles("bias")
                                        : std::vector<double>(static_cast<size_t>(layer.out)));
    // A flattening may stand between the norm and this.
    const auto in = static_cast<size_t>(layer.in);
    const size_t channels = norm_.has_value() ? norm_->channels() : in;
    FoldIntoNext(true, {.groups = 1, .channels = channels, .places = in / channels}, step.weight,
                 bias);
    Emit(std::move(step), layer.out, bias);
  }
  void operator()(const BatchNorm& layer) { Scale(NormOf(layer)); }
  void operator()(const ChannelAffine& layer) {
    const auto channels = static_cast<size_t>(layer.channels);
    Scale({.scale = layer.weight ? Doubles("weight") : std::vector<double>(channels, 1.0),
           .shift = layer.bias ? Doubles("bias") : std::vector<double>(channels, 0.0)});
  }
  void operator()(const PRelu& layer) {
    std::vector<float> slope = Numbers("weight");
    if (layer.channels == 1) slope.assign(static_cast<size_t>(ChannelsOf(shape_)), slope.front());
    Activate(std::move(slope));
  }
  void operator()(const Relu& /*layer*/) {
    Activate(std::vector<float>(static_cast<size_t>(ChannelsOf(shape_))));
  }
  void operator()(const Flatten& /*layer*/) {  // of a map: see Unroll()
    if (shape_.size() == 2) EmitPlain(FlattenStep{});
  }
  void operator()(const PixelShuffle& layer) {
    Materialise();
    Emit(PixelShuffleStep{layer.factor}, shape_[0] / (layer.factor * layer.factor), {});
  }
  void operator()(const Tokens& /*layer*/) { EmitPlain(TokensStep{}); }
  void operator()(const PositionEmbedding& layer) {
    EmitPlain(
        PositionStep{.count = layer.count, .channels = layer.channels, .numbers = OwnNumbers()});
  }
  void operator()(const LayerNorm& layer) {
    EmitPlain(LayerNormStep{
        .epsilon = layer.epsilon, .weight = Numbers("weight"), .bias = Numbers("bias")});
  }
  void operator()(const SelfAttention& layer) {
    const int64_t channels = layer.channels;
    const std::vector<double> bias = layer.bias ? Doubles("qkv.bias") : std::vector<double>();
    Emit(LinearStep{.in = channels, .out = 3 * channels, .weight = Numbers("qkv.weight")},
         3 * channels, bias);
    Emit(AttentionStep{layer.heads}, channels, {});
    Emit(LinearStep{.in = channels, .out = channels, .weight = Numbers("proj.weight")}, channels,
         Doubles("proj.bias"));
  }
  void operator()(const DropPath& /*layer*/) {}
  void operator()(const DropTokens& /*layer*/) {}
  void operator()(const MaskToken& /*layer*/) {}
  void operator()(const Dropout& /*layer*/) {}
  void operator()(const Subsample& layer) {
    Materialise();
    if (layer.stride != 1) Emit(SubsampleStep{layer.stride}, shape_[0], {});
  }
  void operator()(const MaxPool& layer) { EmitPlain(PoolStep{layer}); }
  void operator()(const AveragePool& layer) { EmitPlain(PoolStep{layer}); }
  void operator()(const GlobalAverage& layer) { EmitPlain(PoolStep{layer}); }
  void operator()(const Pad& layer) {
    if (layer.borders != Borders{}) EmitPlain(PadStep{layer.borders});
  }
  void operator()(const Clip& layer) { EmitPlain(ClipStep{.low = layer.low, .high = layer.high}); }
  void operator()(const Sigmoid& /*layer*/) { EmitPlain(SigmoidStep{}); }
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
    const ValueId input = Settle();
    const Extents input_shape = shape_;
    Follow(residual.shortcut, name_);
    const ValueId added = Settle();
    Read(input, input_shape);
    Follow(residual.layers, name_);
    AddTo(added);
  }
  void operator()(const Graph& graph) {
    Settle();
    const std::vector<Extents> shapes = ValuesOf(graph, shape_).value();  // checked before
    std::vector<size_t> readers(shapes.size());
    for (const Call& call : graph.calls) {
      for (const size_t input : call.inputs) ++readers[input];
    }
    std::vector<ValueId> values(shapes.size(), kNowhere);
    values[0] = value_;
    for (size_t i = 0; i < graph.calls.size(); ++i) {
      const auto& [what, inputs] = graph.calls[i];
      // What the call before gave goes on being worked at where this one alone reads it.
      const bool continues =
          i > 0 && readers[i] == 1 && std::find(inputs.begin(), inputs.end(), i) != inputs.end();
      if (i > 0 && !continues) values[i] = Settle();
      if (const auto* const layer = std::get_if<size_t>(&what)) {
        if (!continues) Read(values[inputs.front()], shapes[inputs.front()]);
        Follow({&graph.layers[*layer], 1}, name_);
      } else {
        MeetValues(std::get<Join>(what), inputs, continues ? i : shapes.size(), values, shapes);
      }
      shape_ = shapes[i + 1];
    }
  }

  InferencePlan Finished() {
    Materialise();
    plan_.result = value_;
    return std::move(plan_);
  }

 private:
  static FoldInputs InputsOf(const ConvShape& shape) {
    return {.groups = shape.groups,
            .channels = static_cast<size_t>(shape.in),
            .places = static_cast<size_t>(shape.kernel * shape.kernel)};
  }

  // What a call of a graph gives has no number yet.
  static constexpr ValueId kNowhere = static_cast<ValueId>(-1);

  // Makes the present value one that several steps read.
  ValueId Settle() {
    Materialise();
    Unroll();
    Pin(value_);
    return value_;
  }
  // Goes on with a value that was settled.
  void Read(ValueId value, const Extents& shape) {
    value_ = value;
    shape_ = shape;
  }

  // Adds a value to the present one.
  void AddTo(ValueId added) {
    Materialise();
    Unroll();
    Step* const last = Open();
    if (last == nullptr || last->finish.added.has_value() || !last->finish.slope.empty()) {
      Emit(CopyStep{}, ChannelsOf(shape_), {});
    }
    plan_.steps.back().finish.added = added;
  }

  // Joins values of a graph; the one of number `open` is the present value.
  void MeetValues(Join join, const std::vector<size_t>& inputs, size_t open,
                  std::vector<ValueId>& values, const std::vector<Extents>& shapes) {
    const bool alike = std::all_of(inputs.begin(), inputs.end(), [&](size_t input) {
      return shapes[input] == shapes[inputs.front()];
    });
    if (join == Join::kAdd && alike) {
      const size_t other = inputs[0] == open ? inputs[1] : inputs[0];
      if (open == shapes.size()) Read(values[inputs[1]], shapes[inputs[1]]);
      return AddTo(values[other]);
    }
    if (open < shapes.size()) values[open] = Settle();
    Read(values[inputs.front()], shapes[inputs.front()]);
    JoinStep step{.join = join, .others = {}};
    for (size_t i = 1; i < inputs.size(); ++i) step.others.push_back(values[inputs[i]]);
    int64_t channels = 0;
    for (const size_t input : inputs) {
      channels = (join == Join::kConcat ? channels : 0) + ChannelsOf(shapes[input]);
    }
    Emit(std::move(step), channels, {});
  }

  // x · scale + shift, for each channel.
  void Scale(ChannelScale norm) {
    // A flattening between them makes numbers of channels.
    if (norm_.has_value() && norm_->channels() != norm.channels()) Materialise();
    if (norm_.has_value()) norm = Composed(*std::exchange(norm_, std::nullopt), norm);
    if (!FoldIntoLast(norm)) norm_ = std::move(norm);
  }

  // The step whose output is the present value, while nothing has read that; null otherwise.
  Step* Open() {
    if (plan_.steps.empty() || pins_.contains(value_)) return nullptr;
    Step& last = plan_.steps.back();
    return last.to == value_ && !last.scaled.has_value() ? &last : nullptr;
  }
  // Others read this value.
  void Pin(ValueId value) { pins_.insert(value); }

  void Emit(StepKind kind, int64_t channels, const std::vector<double>& bias) {
    FACEGATE_CHECK(!norm_.has_value());
    const ValueId from = scaled_.value_or(value_);
    scaled_.reset();
    const bool biased = std::any_of(bias.begin(), bias.end(), [](double one) { return one != 0; });
    value_ = plan_.values++;
    lists_.push_back(std::holds_alternative<FlattenStep>(kind) ||
                     (std::holds_alternative<LinearStep>(kind) && shape_.size() != 2) ||
                     (lists_[from] && !std::holds_alternative<ConvolutionStep>(kind)));
    plan_.steps.push_back({.kind = std::move(kind),
                           .from = from,
                           .to = value_,
                           .channels = channels,
                           .finish = {.bias = biased ? ToFloats(bias) : std::vector<float>(),
                                      .added = {},
                                      .slope = {}},
                           .scaled = {}});
  }

  // A step that has no bias and leaves the channels.
  void EmitPlain(StepKind kind) {
    Materialise();
    Unroll();
    Emit(std::move(kind), ChannelsOf(shape_), {});
  }

  // The norm is exactly part of the convolution or linear layer that has just been written.
  bool FoldIntoLast(const ChannelScale& norm) {
    Step* const step = Open();
    if (step == nullptr || step->finish.added.has_value() || !step->finish.slope.empty() ||
        static_cast<int64_t>(norm.channels()) != step->channels) {
      return false;
    }
    std::vector<float>* weight = nullptr;
    if (auto* const convolution = std::get_if<ConvolutionStep>(&step->kind)) {
      weight = &convolution->weight;
    } else if (auto* const oblong = std::get_if<OblongStep>(&step->kind)) {
      weight = &oblong->weight;
    } else if (auto* const linear = std::get_if<LinearStep>(&step->kind)) {
      weight = &linear->weight;
    } else {
      return false;
    }
    network::FoldAfter(norm, *weight, step->finish.bias);
    return true;
  }

  // A norm that waits becomes part of the layer that follows where that is exact: at a padded
  // border, the norm of a zero is not a zero.
  void FoldIntoNext(bool exact, const FoldInputs& inputs, std::vector<float>& weight,
                    std::vector<double>& bias) {
    if (!norm_.has_value()) return;
    if (!exact) return WriteScaled();
    FoldBefore(*std::exchange(norm_, std::nullopt), inputs, weight, bias);
  }

  // The norm that waits becomes a second output of the step that made its input; the next step
  // reads that.
  void WriteScaled() {
    const ChannelScale norm = *std::exchange(norm_, std::nullopt);
    const auto channels = static_cast<int64_t>(norm.channels());
    // Where a flattening came after it, it is of the map.
    if (channels == shape_[0]) Unroll();
    auto maker = std::find_if(plan_.steps.begin(), plan_.steps.end(),
                              [&](const Step& step) { return step.to == value_; });
    if (maker == plan_.steps.end() || maker->scaled.has_value()) {
      Emit(CopyStep{}, channels, {});
      maker = std::prev(plan_.steps.end());
    }
    scaled_ = plan_.values++;
    lists_.push_back(lists_[value_]);
    maker->scaled =
        Scaled{.to = *scaled_, .scale = ToFloats(norm.scale), .shift = ToFloats(norm.shift)};
  }

  // Makes the present value one that others can read.
  void Materialise() {
    if (norm_.has_value()) WriteScaled();
    if (!scaled_.has_value()) return;
    value_ = *std::exchange(scaled_, std::nullopt);
  }

  // Makes a list of the map that a flattening left as it is: a LinearStep takes maps, other steps
  // that read lists do not.
  void Unroll() {
    if (shape_.size() == 1 && !lists_[value_]) Emit(FlattenStep{}, shape_[0], {});
  }

  void Activate(std::vector<float> slope) {
    Materialise();
    Unroll();
    Step* const step = Open();
    if (step == nullptr || !step->finish.slope.empty()) {
      Emit(CopyStep{}, static_cast<int64_t>(slope.size()), {});
    }
    plan_.steps.back().finish.slope = std::move(slope);
  }

  InferencePlan plan_;
  ValueId value_ = kInputValue;
  Extents shape_;                     // of it
  std::set<ValueId> pins_;            // read by others besides
  std::vector<bool> lists_;           // by value: a list, as the steps hold it
  std::optional<ChannelScale> norm_;  // to be applied to the present value
  std::optional<ValueId> scaled_;     // the present value with its norm, where that is written
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
  const auto& [channels, height, width] = description.input;
  FACEGATE_RETURN_IF_ERROR(OutputOf(Chain{description.layers}, {channels, height, width}).status());
  Planner planner(description, tensors);
  planner.Follow(description.layers, "");
  return planner.Finished();
}

}  // namespace facegate::network
