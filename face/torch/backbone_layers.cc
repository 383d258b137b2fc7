#include "face/torch/backbone_layers.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "face/torch/graph_parts.h"
#include "face/torch/window_operations.h"

namespace facegate {
namespace {

// Of layers that are in no block, the most of a segment: a network of them alone is cut up, too.
constexpr size_t kMostLayers = 8;

bool IsChain(const Layer& layer) { return dynamic_cast<const Chain*>(&layer) != nullptr; }
// Of a graph with more calls, parts are segments where it can be cut.
constexpr size_t kMostCallsOfBlock = 4 * kMostLayers;

bool IsBlock(const Layer& layer) {
  const auto* const graph = dynamic_cast<const Graph*>(&layer);
  return graph != nullptr ? !graph->runs_in_parts()
                          : dynamic_cast<const Residual*>(&layer) != nullptr;
}
// No segment goes on over one.
bool StandsAlone(const Layer& layer) {
  return IsChain(layer) || dynamic_cast<const Graph*>(&layer) != nullptr;
}

void Register(const std::string& name, const std::shared_ptr<Layer>& layer,
              torch::nn::Module& parent) {
  const torch::Tensor own = layer->OwnTensor();
  if (own.defined()) {
    parent.register_parameter(name, own);
  } else {
    parent.register_module(name, layer);
  }
}

}  // namespace

bool Layer::AppendTo(FusionBuilder& /*builder*/) const { return false; }

Conv2d::Conv2d(const ConvShape& shape, bool with_bias) : shape_(shape) {
  weight_ = register_parameter(
      "weight", torch::empty({shape.out, shape.in / shape.groups, shape.kernel, shape.kernel}));
  if (with_bias) bias_ = register_parameter("bias", torch::empty({shape.out}));
}

torch::Tensor Conv2d::forward(torch::Tensor input) {
  return torch::conv2d(input, weight_, bias_, {shape_.stride, shape_.stride},
                       {shape_.padding, shape_.padding}, {1, 1}, shape_.groups);
}

bool Conv2d::AppendTo(FusionBuilder& builder) const {
  return !bias_.defined() && builder.AddConvolution(shape_, weight_);
}

OblongConv2d::OblongConv2d(const network::OblongConvolution& layer) : layer_(layer) {
  const auto& [height, width] = layer.window.kernel;
  weight_ = register_parameter("weight",
                               torch::empty({layer.out, layer.in / layer.groups, height, width}));
  if (layer.bias) bias_ = register_parameter("bias", torch::empty({layer.out}));
}

torch::Tensor OblongConv2d::forward(torch::Tensor input) {
  return ConvolveWindow(input, layer_.window, layer_.groups, weight_, bias_);
}

torch::Tensor MaxPool::forward(torch::Tensor input) { return MaxUnderWindow(input, window_); }

torch::Tensor AveragePool::forward(torch::Tensor input) {
  return AverageUnderWindow(input, layer_);
}

torch::Tensor GlobalAverage::forward(torch::Tensor input) {
  return torch::adaptive_avg_pool2d(input, {1, 1});
}

torch::Tensor Pad::forward(torch::Tensor input) { return PadTensor(input, borders_, 0.0); }

BatchNorm::BatchNorm(const network::BatchNorm& layer) : epsilon_(layer.epsilon) {
  const int64_t channels = layer.channels;
  if (layer.affine) {
    weight_ = register_parameter("weight", torch::empty({channels}), !layer.fixed_weight);
    bias_ = register_parameter("bias", torch::empty({channels}));
  }
  running_mean_ = register_buffer("running_mean", torch::empty({channels}));
  running_var_ = register_buffer("running_var", torch::empty({channels}));
  num_batches_tracked_ = register_buffer("num_batches_tracked", torch::zeros({}, torch::kInt64));
}

torch::Tensor BatchNorm::forward(torch::Tensor input) {
  if (is_training()) num_batches_tracked_.add_(1);
  if (is_training() && training_norm_) return training_norm_(input, tensors(), epsilon_);
  return torch::batch_norm(input, weight_, bias_, running_mean_, running_var_, is_training(),
                           kNormMomentum, epsilon_, torch::globalContext().userEnabledCuDNN());
}

bool BatchNorm::AppendTo(FusionBuilder& builder) const {
  if (epsilon_ != kNormEpsilon || !weight_.defined()) return false;
  return builder.AddNorm(tensors());
}

NormTensors BatchNorm::tensors() const {
  return {.gamma = weight_,
          .beta = bias_,
          .running_mean = running_mean_,
          .running_var = running_var_,
          .num_batches_tracked = num_batches_tracked_,
          .norm = this};
}

ChannelAffine::ChannelAffine(const network::ChannelAffine& layer) {
  if (layer.weight) weight_ = register_parameter("weight", torch::empty({layer.channels}));
  if (layer.bias) bias_ = register_parameter("bias", torch::empty({layer.channels}));
}

torch::Tensor ChannelAffine::forward(torch::Tensor input) {
  if (weight_.defined()) input = input * OverChannels(weight_, input);
  if (bias_.defined()) input = input + OverChannels(bias_, input);
  return input;
}

PRelu::PRelu(int64_t channels) { weight_ = register_parameter("weight", torch::empty({channels})); }

torch::Tensor PRelu::forward(torch::Tensor input) { return torch::prelu(input, weight_); }

bool PRelu::AppendTo(FusionBuilder& builder) const {
  return weight_.size(0) > 1 && builder.AddPRelu(weight_);
}

torch::Tensor Relu::forward(torch::Tensor input) { return torch::relu(input); }

torch::Tensor Clip::forward(torch::Tensor input) {
  return torch::clamp(input, layer_.low, layer_.high);
}

torch::Tensor Sigmoid::forward(torch::Tensor input) { return torch::sigmoid(input); }

Linear::Linear(int64_t in, int64_t out, bool with_bias) {
  weight_ = register_parameter("weight", torch::empty({out, in}));
  if (with_bias) bias_ = register_parameter("bias", torch::empty({out}));
}

torch::Tensor Linear::forward(torch::Tensor input) { return torch::linear(input, weight_, bias_); }

torch::Tensor Dropout::forward(torch::Tensor input) {
  return torch::dropout(input, probability_, is_training());
}

torch::Tensor Flatten::forward(torch::Tensor input) { return torch::flatten(input, 1); }

torch::Tensor Subsample::forward(torch::Tensor input) {
  return stride_ == 1 ? input : torch::max_pool2d(input, {1, 1}, {stride_, stride_});
}

ChannelGate::ChannelGate(int64_t channels, int64_t reduction) {
  squeeze_ = register_module(
      "fc1", std::make_shared<Conv2d>(ConvShape{.in = channels, .out = channels / reduction}));
  excite_ = register_module(
      "fc2", std::make_shared<Conv2d>(ConvShape{.in = channels / reduction, .out = channels}));
}

torch::Tensor ChannelGate::forward(torch::Tensor input) {
  const torch::Tensor mean = torch::adaptive_avg_pool2d(input, {1, 1});
  return input * torch::sigmoid(excite_->forward(torch::relu(squeeze_->forward(mean))));
}

torch::Tensor PixelShuffle::forward(torch::Tensor input) {
  return torch::pixel_shuffle(input, factor_);
}

Chain::Chain() = default;
Chain::~Chain() = default;

Chain& Chain::Append(const std::string& name, std::shared_ptr<Layer> layer) {
  parts_.clear();
  parts_with_maps_.clear();
  Register(name, layer, *this);
  layers_.push_back(std::move(layer));
  return *this;
}

Chain& Chain::Append(std::shared_ptr<Layer> layer) {
  return Append(std::to_string(layers_.size()), std::move(layer));
}

Chain& Chain::MarkMap() {
  parts_with_maps_.clear();
  maps_.insert(layers_.size() - 1);
  return *this;
}

torch::Tensor Chain::forward(torch::Tensor input) { return Pass(std::move(input), nullptr); }

torch::Tensor Chain::ForwardWithMaps(torch::Tensor input, std::vector<torch::Tensor>& maps) {
  return Pass(std::move(input), &maps);
}

torch::Tensor LayerSegment::Pass(torch::Tensor input) const {
  for (const auto& layer : layers) input = layer->forward(std::move(input));
  return input;
}

torch::Tensor Chain::PassInSegments(torch::Tensor input, std::vector<torch::Tensor>* maps) {
  for (size_t begin = 0, end = 0; begin < layers_.size(); begin = end) {
    end = SegmentEnd(begin, maps != nullptr);
    const std::shared_ptr<Layer>& first = layers_[begin];
    if (StandsAlone(*first) && !IsBlock(*first)) {
      input = first->forward(std::move(input));  // in segments of its own
    } else {
      input = segment_run_(input, {.layers = {layers_.begin() + static_cast<std::ptrdiff_t>(begin),
                                              layers_.begin() + static_cast<std::ptrdiff_t>(end)}});
    }
    if (maps != nullptr && maps_.contains(end - 1)) maps->push_back(input);
  }
  return input;
}

size_t Chain::SegmentEnd(size_t begin, bool at_maps) const {
  size_t end = begin + 1;
  if (StandsAlone(*layers_[begin])) return end;
  const auto goes_on = [&] {
    return end < layers_.size() && end - begin < kMostLayers && !StandsAlone(*layers_[end]) &&
           !(at_maps && maps_.contains(end - 1));
  };
  while (goes_on()) end += 1;
  return end;
}

torch::Tensor Chain::Pass(torch::Tensor input, std::vector<torch::Tensor>* maps) {
  if (segment_run_ && torch::GradMode::is_enabled()) return PassInSegments(std::move(input), maps);
  const auto run = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      input = layers_[i]->forward(std::move(input));
      if (maps != nullptr && maps_.contains(i)) maps->push_back(input);
    }
  };
  if (fusion_ == nullptr || !is_training() || !torch::GradMode::is_enabled()) {
    run(0, layers_.size());
    return input;
  }
  std::vector<Part>& parts = maps == nullptr ? parts_ : parts_with_maps_;
  if (parts.empty()) parts = Split(maps != nullptr);
  for (const Part& part : parts) {
    if (part.run == nullptr || !part.run->Accepts(input)) {
      run(part.begin, part.end);
      continue;
    }
    input = part.run->Forward(input);
    if (maps != nullptr && maps_.contains(part.end - 1)) maps->push_back(input);
  }
  return input;
}

// The longest runs, from the front.
std::vector<Chain::Part> Chain::Split(bool at_maps) const {
  std::vector<Part> parts;
  parts.reserve(layers_.size());
  for (size_t begin = 0; begin < layers_.size(); begin = parts.back().end) {
    const std::unique_ptr<FusionBuilder> builder = fusion_();
    Part& part = parts.emplace_back(Part{.run = nullptr, .begin = begin, .end = begin + 1});
    for (size_t i = begin; i < layers_.size() && layers_[i]->AppendTo(*builder); ++i) {
      if (builder->complete()) {
        part.run = builder->MakeRun();
        part.end = i + 1;
      }
      if (at_maps && maps_.contains(i)) break;
    }
  }
  return parts;
}

bool Chain::AppendTo(FusionBuilder& builder) const {
  return std::all_of(layers_.begin(), layers_.end(),
                     [&](const auto& layer) { return layer->AppendTo(builder); });
}

void Chain::set_fusion(LayerFusion fusion) {
  fusion_ = fusion;
  parts_.clear();
  parts_with_maps_.clear();
  for (const auto& layer : layers_) {
    if (auto* const chain = dynamic_cast<Chain*>(layer.get())) chain->set_fusion(fusion);
  }
}

void Chain::set_segment_run(const SegmentRun& run) {
  segment_run_ = run;
  for (const auto& layer : layers_) {
    auto* const chain = dynamic_cast<Chain*>(layer.get());
    if (chain != nullptr && !IsBlock(*chain)) chain->set_segment_run(run);
    if (auto* const graph = dynamic_cast<Graph*>(layer.get())) graph->set_segment_run(run);
  }
}

Residual& Residual::AppendShortcut(const std::string& name, std::shared_ptr<Layer> layer) {
  Register(name, layer, *this);
  shortcut_.push_back(std::move(layer));
  return *this;
}

bool Residual::AppendTo(FusionBuilder& builder) const {
  return shortcut_.empty() && builder.BeginResidual() && Chain::AppendTo(builder) &&
         builder.EndResidual();
}

torch::Tensor Residual::forward(torch::Tensor input) {
  torch::Tensor shortcut = input;
  for (const auto& layer : shortcut_) shortcut = layer->forward(std::move(shortcut));
  return Chain::forward(std::move(input)) + shortcut;
}

Graph& Graph::Append(const std::string& name, std::shared_ptr<Layer> layer) {
  torch::nn::Module* group = this;
  size_t begin = 0;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', begin)) {
    const std::string part = name.substr(begin, dot - begin);
    const auto children = group->named_children();
    group = children.contains(part)
                ? children[part].get()
                : group->register_module(part, std::make_shared<torch::nn::Module>()).get();
    begin = dot + 1;
  }
  Register(name.substr(begin), layer, *group);
  layers_.push_back(std::move(layer));
  return *this;
}

Graph& Graph::SetCalls(std::vector<network::Call> calls) {
  calls_ = std::move(calls);
  std::vector<size_t> last(calls_.size() + 1,
                           calls_.size());  // the call that reads each value last
  for (size_t i = 0; i < calls_.size(); ++i) {
    for (const size_t value : calls_[i].inputs) last[value] = i;
  }
  last_read_.assign(calls_.size(), {});
  for (size_t value = 0; value < last.size(); ++value) {
    if (last[value] < calls_.size()) last_read_[last[value]].push_back(value);
  }
  return *this;
}

void Graph::set_segment_run(const SegmentRun& run) {
  parts_.clear();
  segment_run_ = run;
  if (!run || calls_.size() <= kMostCallsOfBlock) return;
  size_t begin = 0;
  for (const size_t end : EndsOfParts(calls_, kMostLayers)) {
    parts_.push_back(PartOf(begin, end));
    begin = end;
  }
  if (parts_.size() == 1) parts_.clear();
}

// A part's own values begin with what the call before it gave.
std::shared_ptr<Graph> Graph::PartOf(size_t begin, size_t end) const {
  auto part = std::make_shared<Graph>();
  std::map<size_t, size_t> numbers;  // of layers, in the part
  std::vector<network::Call> calls;
  for (size_t i = begin; i < end; ++i) {
    network::Call& call = calls.emplace_back(calls_[i]);
    for (size_t& value : call.inputs) value -= begin;
    auto* const layer = std::get_if<size_t>(&call.what);
    if (layer == nullptr) continue;
    const auto [found, is_new] = numbers.try_emplace(*layer, numbers.size());
    if (is_new) part->Append(std::to_string(found->second), layers_[*layer]);
    *layer = found->second;
  }
  part->SetCalls(std::move(calls));
  return part;
}

torch::Tensor Graph::forward(torch::Tensor input) {
  if (runs_in_parts() && torch::GradMode::is_enabled()) {
    for (const auto& part : parts_) input = segment_run_(input, {.layers = {part}});
    return input;
  }
  std::vector<torch::Tensor> values(calls_.size() + 1);
  values[0] = std::move(input);
  for (size_t i = 0; i < calls_.size(); ++i) {
    const auto& [what, inputs] = calls_[i];
    std::vector<torch::Tensor> read;
    read.reserve(inputs.size());
    for (const size_t value : inputs) read.push_back(values[value]);
    // What nobody reads again gives its memory to later calls.
    for (const size_t value : last_read_[i]) values[value].reset();
    if (const auto* const layer = std::get_if<size_t>(&what)) {
      values[i + 1] = layers_[*layer]->forward(std::move(read.front()));
    } else {
      values[i + 1] = JoinTensors(std::get<network::Join>(what), read);
    }
  }
  return values.back();
}

}  // namespace facegate
