#include "face/torch/token_layers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "face/torch/window_operations.h"

namespace facegate {
namespace {

// The tokens (N·T·C) of those places (N·K).
torch::Tensor Gather(const torch::Tensor& tokens, const torch::Tensor& places) {
  return tokens.gather(1, places.unsqueeze(2).expand({-1, -1, tokens.size(2)}));
}

}  // namespace

torch::Tensor Tokens::forward(torch::Tensor input) { return MapToTokens(input); }

PositionEmbedding::PositionEmbedding(const network::PositionEmbedding& layer)
    : numbers_(torch::empty({1, layer.count, layer.channels})) {}

torch::Tensor PositionEmbedding::forward(torch::Tensor input) { return input + numbers_; }

LayerNorm::LayerNorm(const network::LayerNorm& layer) : epsilon_(layer.epsilon) {
  weight_ = register_parameter("weight", torch::empty({layer.channels}));
  bias_ = register_parameter("bias", torch::empty({layer.channels}));
}

torch::Tensor LayerNorm::forward(torch::Tensor input) {
  return torch::layer_norm(input, weight_.sizes(), weight_, bias_, epsilon_);
}

SelfAttention::SelfAttention(const network::SelfAttention& layer) : heads_(layer.heads) {
  const int64_t channels = layer.channels;
  qkv_ = register_module("qkv", std::make_shared<Linear>(channels, 3 * channels, layer.bias));
  proj_ = register_module("proj", std::make_shared<Linear>(channels, channels, true));
}

torch::Tensor SelfAttention::forward(torch::Tensor input) {
  return proj_->forward(AttendTokens(qkv_->forward(std::move(input)), heads_));
}

torch::Tensor DropPath::forward(torch::Tensor input) {
  if (!is_training() || probability_ == 0.0) return input;
  std::vector<int64_t> pictures(static_cast<size_t>(input.dim()), 1);
  pictures[0] = input.size(0);
  return input * torch::dropout(torch::ones(pictures, input.options()), probability_, true);
}

torch::Tensor DropTokens::forward(torch::Tensor input) {
  places_.reset();
  if (!is_training() || !come_back_ || share_ == 0.0) return input;
  const int64_t tokens = input.size(1);
  const auto kept = static_cast<int64_t>(static_cast<double>(tokens) * (1.0 - share_));
  const torch::Tensor order =
      torch::rand({input.size(0), tokens}, input.options().dtype(torch::kFloat))
          .argsort(/*dim=*/1, /*descending=*/false);
  places_ = order.argsort(/*dim=*/1, /*descending=*/false);
  return Gather(input, order.narrow(1, 0, std::max<int64_t>(kept, 1)));
}

MaskToken::MaskToken(const network::MaskToken& layer, std::shared_ptr<DropTokens> dropping)
    : token_(torch::empty({1, 1, layer.channels})), dropping_(std::move(dropping)) {
  if (dropping_ != nullptr) dropping_->come_back_ = true;
}

torch::Tensor MaskToken::forward(torch::Tensor input) {
  if (dropping_ == nullptr || !dropping_->places_.defined()) return input;
  // It stays for the case that the pass is repeated.
  const torch::Tensor places = dropping_->places_;
  const int64_t missing = places.size(1) - input.size(1);
  const torch::Tensor masks = token_.to(input.scalar_type()).expand({input.size(0), missing, -1});
  return Gather(torch::cat({input, masks}, 1), places);
}

}  // namespace facegate
