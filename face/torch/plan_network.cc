#include "face/torch/plan_network.h"

#include <torch/utils.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "face/torch/window_operations.h"

namespace facegate {
namespace {

using network::ConvShape;
using network::ValueId;

// Where and in which type a network keeps its numbers.
struct Place {
  torch::Device device;
  torch::ScalarType type;

  torch::Tensor Put(const std::vector<float>& numbers, torch::IntArrayRef shape,
                    torch::ScalarType as) const {
    // The copy takes away a const that LibTorch has no word for.
    return torch::from_blob(const_cast<float*>(numbers.data()), shape, torch::kFloat)
        .clone()
        .to(device, as);
  }
  torch::Tensor Put(const std::vector<float>& numbers, torch::IntArrayRef shape) const {
    return Put(numbers, shape, type);
  }
  // For each channel, in fp32; undefined where there are none.
  torch::Tensor PutChannels(const std::vector<float>& numbers) const {
    if (numbers.empty()) return {};
    return Put(numbers, {static_cast<int64_t>(numbers.size())}, torch::kFloat);
  }
};

class PlainKernels : public MapKernels {
 public:
  torch::Tensor Finish(torch::Tensor& map, const torch::Tensor& added,
                       const FinishTensors& finish) const override {
    const torch::ScalarType type = map.scalar_type();
    torch::Tensor value = map.to(torch::kFloat);
    if (finish.bias.defined()) value = value + OverChannels(finish.bias, map);
    if (added.defined()) value = value + added.to(torch::kFloat);
    if (finish.slope.defined()) {
      value = torch::where(value >= 0, value, value * OverChannels(finish.slope, map));
    }
    map = value.to(type);
    if (!finish.scale.defined()) return {};
    // As the next layer would read it: rounded to the type before it is scaled.
    return (map.to(torch::kFloat) * OverChannels(finish.scale, map) +
            OverChannels(finish.shift, map))
        .to(type);
  }

  torch::Tensor Depthwise(const torch::Tensor& input, const ConvShape& shape,
                          const torch::Tensor& weight, const FinishTensors& finish) const override {
    const torch::Tensor filters =
        weight.view({shape.kernel, shape.kernel, shape.out}).permute({2, 0, 1}).unsqueeze(1);
    torch::Tensor output = torch::conv2d(input.to(torch::kFloat), filters.contiguous(), {},
                                         {shape.stride, shape.stride},
                                         {shape.padding, shape.padding}, {1, 1}, shape.groups);
    output = output.to(input.scalar_type());
    Finish(output, {}, finish);
    return output;
  }
};

}  // namespace

const MapKernels& PlainMapKernels() {
  static const PlainKernels kernels;
  return kernels;
}

// A step with its tensors.
struct PlanNetwork::Prepared {
  network::StepKind kind;  // its numbers are dropped
  ValueId from = 0;
  ValueId to = 0;
  std::optional<ValueId> added;
  std::vector<ValueId> others;  // of a join
  ValueId scaled = 0;
  bool depthwise = false;
  torch::Tensor weight{};
  torch::Tensor second{};  // of a gate or a layer norm
  FinishTensors finish{};
  std::vector<ValueId> last_read{};  // values that no later step reads
};

namespace {

// The tensors of a step's own numbers, which are dropped.
struct Weights {
  const Place& place;
  bool pad_input = false;  // the step reads the pictures
  int64_t channels = 0;    // of a linear layer's input, where that is a map; else 0
  torch::Tensor first{};
  torch::Tensor second{};
  bool depthwise = false;

  void operator()(network::ConvolutionStep& step) {
    ConvShape& shape = step.shape;
    const std::vector<int64_t> sizes = {shape.out, shape.in / shape.groups, shape.kernel,
                                        shape.kernel};
    depthwise = shape.groups > 1 && shape.groups == shape.in && shape.in == shape.out;
    if (depthwise) {
      first =
          place.Put(step.weight, sizes, torch::kFloat).squeeze(1).permute({1, 2, 0}).contiguous();
    } else {
      first = place.Put(step.weight, sizes);
      if (pad_input) {
        first =
            torch::constant_pad_nd(first, {0, 0, 0, 0, 0, PlanNetwork::kInputChannels - shape.in});
        shape.in = PlanNetwork::kInputChannels;
      }
      first = first.contiguous(at::MemoryFormat::ChannelsLast);
    }
    step.weight.clear();
  }
  void operator()(network::LinearStep& step) {
    first = place.Put(step.weight, {step.out, step.in});
    if (channels > 0) {
      // The map's numbers lie in the order H, W, C.
      first = first.view({step.out, channels, -1}).transpose(1, 2).reshape({step.out, step.in});
    }
    first = first.contiguous();
    step.weight.clear();
  }
  void operator()(network::PositionStep& step) {
    first = place.Put(step.numbers, {1, step.count, step.channels});
    step.numbers.clear();
  }
  void operator()(network::LayerNormStep& step) {
    const auto channels_of_token = static_cast<int64_t>(step.weight.size());
    first = place.Put(step.weight, {channels_of_token});
    second = place.Put(step.bias, {channels_of_token});
    step.weight.clear();
    step.bias.clear();
  }
  void operator()(network::GateStep& step) {
    first = place.Put(step.squeeze, {step.squeezed, step.channels});
    second = place.Put(step.excite, {step.channels, step.squeezed});
    step.squeeze.clear();
    step.excite.clear();
  }
  void operator()(network::OblongStep& step) {
    const auto& [in, out, groups, window, bias] = step.shape;
    first = place.Put(step.weight, {out, in / groups, window.kernel.height, window.kernel.width});
    if (pad_input) {
      first = torch::constant_pad_nd(first, {0, 0, 0, 0, 0, PlanNetwork::kInputChannels - in});
    }
    first = first.contiguous(at::MemoryFormat::ChannelsLast);
    step.weight.clear();
  }
  template <typename Other>
  void operator()(Other& /*step*/) {}  // has no numbers
};

// Runs a step but for its finish.
struct Runner {
  const torch::Tensor& input;
  const torch::Tensor& weight;
  const torch::Tensor& second;
  const std::vector<torch::Tensor>& others;

  torch::Tensor operator()(const network::ConvolutionStep& step) const {
    const ConvShape& shape = step.shape;
    return torch::conv2d(input, weight, {}, {shape.stride, shape.stride},
                         {shape.padding, shape.padding}, {1, 1}, shape.groups);
  }
  torch::Tensor operator()(const network::LinearStep& /*step*/) const {
    if (input.dim() != 4) return torch::linear(input, weight);
    return torch::linear(input.permute({0, 2, 3, 1}).flatten(1), weight);
  }
  torch::Tensor operator()(const network::GateStep& /*step*/) const {
    const torch::Tensor mean = input.mean({2, 3});
    const torch::Tensor gate =
        torch::sigmoid(torch::linear(torch::relu(torch::linear(mean, weight)), second));
    return input * gate.unsqueeze(2).unsqueeze(3);
  }
  torch::Tensor operator()(const network::SubsampleStep& step) const {
    return torch::max_pool2d(input, {1, 1}, {step.stride, step.stride});
  }
  torch::Tensor operator()(const network::OblongStep& step) const {
    return ConvolveWindow(input, step.shape.window, step.shape.groups, weight, {});
  }
  torch::Tensor operator()(const network::PoolStep& step) const {
    return std::visit([this](const auto& pool) { return Pooled(pool); }, step.pool);
  }
  // Not PadTensor(), which gives the map itself where there are no borders.
  torch::Tensor operator()(const network::PadStep& step) const {
    const auto& [top, left, bottom, right] = step.borders;
    return torch::constant_pad_nd(input, {left, right, top, bottom}, 0.0);
  }
  torch::Tensor operator()(const network::ClipStep& step) const {
    return torch::clamp(input, step.low, step.high);
  }
  torch::Tensor operator()(const network::SigmoidStep& /*step*/) const {
    return torch::sigmoid(input);
  }
  torch::Tensor operator()(const network::FlattenStep& /*step*/) const {
    return input.flatten(1).clone();
  }
  torch::Tensor operator()(const network::PixelShuffleStep& step) const {
    return torch::pixel_shuffle(input, step.factor);
  }
  torch::Tensor operator()(const network::TokensStep& /*step*/) const {
    return MapToTokens(input).clone();
  }
  torch::Tensor operator()(const network::PositionStep& /*step*/) const { return input + weight; }
  torch::Tensor operator()(const network::LayerNormStep& step) const {
    return torch::layer_norm(input, weight.sizes(), weight, second, step.epsilon);
  }
  torch::Tensor operator()(const network::AttentionStep& step) const {
    return AttendTokens(input, step.heads);
  }
  torch::Tensor operator()(const network::JoinStep& step) const {
    std::vector<torch::Tensor> values = {input};
    values.insert(values.end(), others.begin(), others.end());
    return JoinTensors(step.join, values);
  }
  torch::Tensor operator()(const network::CopyStep& /*step*/) const { return input.clone(); }

  torch::Tensor Pooled(const network::MaxPool& pool) const {
    return MaxUnderWindow(input, pool.window);
  }
  torch::Tensor Pooled(const network::AveragePool& pool) const {
    return AverageUnderWindow(input, pool);
  }
  torch::Tensor Pooled(const network::GlobalAverage& /*pool*/) const {
    return input.mean({2, 3}, /*keepdim=*/true);
  }
};

// The values that a step joins to its input.
std::vector<ValueId> OthersOf(const network::Step& step) {
  const auto* const join = std::get_if<network::JoinStep>(&step.kind);
  return join == nullptr ? std::vector<ValueId>() : join->others;
}

// True where nothing but whole convolutions reads the input: these take more channels, with weights
// of zero.
bool TakesMoreChannels(const network::InferencePlan& plan) {
  const auto reads_otherwise = [](const network::Step& step) {
    const std::vector<ValueId> others = OthersOf(step);
    if (step.finish.added == network::kInputValue ||
        std::find(others.begin(), others.end(), network::kInputValue) != others.end()) {
      return true;
    }
    if (step.from != network::kInputValue) return false;
    if (const auto* const square = std::get_if<network::ConvolutionStep>(&step.kind)) {
      return square->shape.groups != 1;
    }
    const auto* const oblong = std::get_if<network::OblongStep>(&step.kind);
    return oblong == nullptr || oblong->shape.groups != 1;
  };
  return std::none_of(plan.steps.begin(), plan.steps.end(), reads_otherwise);
}

// Or tokens, which lie as lists do.
bool GivesList(const network::Step& step, bool from_list) {
  return from_list || std::holds_alternative<network::LinearStep>(step.kind) ||
         std::holds_alternative<network::FlattenStep>(step.kind) ||
         std::holds_alternative<network::TokensStep>(step.kind);
}

}  // namespace

PlanNetwork::PlanNetwork(const network::InferencePlan& plan, torch::Device device,
                         torch::ScalarType type, const MapKernels& kernels)
    : kernels_(kernels),
      values_(plan.values),
      result_(plan.result),
      taken_channels_(TakesMoreChannels(plan) ? 0 : plan.input.channels) {
  const torch::NoGradGuard no_grad;
  const Place place{.device = device, .type = type};
  std::vector<int64_t> channels(plan.values, 0);  // of each map; 0 for tokens or a list
  std::vector<size_t> last_reader(plan.values, plan.steps.size());
  channels[network::kInputValue] = plan.input.channels;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const network::Step& step = plan.steps[i];
    last_reader[step.from] = i;
    if (step.finish.added.has_value()) last_reader[*step.finish.added] = i;
    for (const ValueId other : OthersOf(step)) last_reader[other] = i;
    channels[step.to] = GivesList(step, channels[step.from] == 0) ? 0 : step.channels;
    if (step.scaled.has_value()) channels[step.scaled->to] = channels[step.to];
  }
  last_reader[plan.result] = plan.steps.size();  // who asked for it
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const network::Step& step = plan.steps[i];
    Prepared one{.kind = step.kind,
                 .from = step.from,
                 .to = step.to,
                 .added = step.finish.added,
                 .others = OthersOf(step)};
    Weights weights{.place = place,
                    .pad_input = taken_channels_ == 0 && step.from == network::kInputValue,
                    .channels = channels[step.from]};
    std::visit(weights, one.kind);
    one.weight = weights.first;
    one.second = weights.second;
    one.depthwise = weights.depthwise;
    one.finish.bias = place.PutChannels(step.finish.bias);
    one.finish.slope = place.PutChannels(step.finish.slope);
    if (step.scaled.has_value()) {
      one.scaled = step.scaled->to;
      one.finish.scale = place.PutChannels(step.scaled->scale);
      one.finish.shift = place.PutChannels(step.scaled->shift);
    }
    for (ValueId value = 0; value < plan.values; ++value) {
      if (last_reader[value] == i) one.last_read.push_back(value);
    }
    steps_.push_back(std::move(one));
  }
}

PlanNetwork::~PlanNetwork() = default;

torch::Tensor PlanNetwork::Forward(const torch::Tensor& input) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> values(values_);
  values[network::kInputValue] = taken_channels_ == 0 ? input : input.narrow(1, 0, taken_channels_);
  for (const Prepared& step : steps_) {
    std::vector<torch::Tensor> others;
    others.reserve(step.others.size());
    for (const ValueId other : step.others) others.push_back(values[other]);
    const torch::Tensor added = step.added.has_value() ? values[*step.added] : torch::Tensor();
    torch::Tensor& output = values[step.to];
    const bool simple = !added.defined() && !step.finish.scale.defined();
    if (step.depthwise && simple) {
      const auto& shape = std::get<network::ConvolutionStep>(step.kind).shape;
      output = kernels_.Depthwise(values[step.from], shape, step.weight, step.finish);
    } else {
      output =
          step.depthwise
              ? kernels_.Depthwise(values[step.from],
                                   std::get<network::ConvolutionStep>(step.kind).shape, step.weight,
                                   {})
              : std::visit(Runner{values[step.from], step.weight, step.second, others}, step.kind);
      const torch::Tensor scaled = kernels_.Finish(output, added, step.finish);
      if (scaled.defined()) values[step.scaled] = scaled;
    }
    // What nobody reads again gives its memory to later steps.
    for (const ValueId value : step.last_read) values[value].reset();
  }
  torch::Tensor result = values[result_];
  return result.dim() > 2 ? result.flatten(1) : result;
}

}  // namespace facegate
