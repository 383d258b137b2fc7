#pragma once

#include <cstdint>
#include <memory>

#include "face/torch/backbone_layers.h"

// The layers of transformers, which work at tokens: N·T·C. face/network/description.h says what
// each computes.
namespace facegate {

class Tokens : public Layer {
 public:
  torch::Tensor forward(torch::Tensor input) override;
};

class PositionEmbedding : public Layer {
 public:
  explicit PositionEmbedding(const network::PositionEmbedding& layer);
  torch::Tensor forward(torch::Tensor input) override;
  torch::Tensor OwnTensor() const override { return numbers_; }

 private:
  const torch::Tensor numbers_;
};

class LayerNorm : public Layer {
 public:
  explicit LayerNorm(const network::LayerNorm& layer);
  torch::Tensor forward(torch::Tensor input) override;

 private:
  torch::Tensor weight_;
  torch::Tensor bias_;
  const double epsilon_;
};

class SelfAttention : public Layer {
 public:
  explicit SelfAttention(const network::SelfAttention& layer);
  torch::Tensor forward(torch::Tensor input) override;

 private:
  std::shared_ptr<Linear> qkv_;
  std::shared_ptr<Linear> proj_;
  const int64_t heads_;
};

class DropPath : public Layer {
 public:
  explicit DropPath(double probability) : probability_(probability) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const double probability_;
};

// Leaves out tokens where a MaskToken was made with it.
class DropTokens : public Layer {
 public:
  explicit DropTokens(double share) : share_(share) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  friend class MaskToken;

  const double share_;
  bool come_back_ = false;
  torch::Tensor places_;  // N·T: where each token is among those kept and left out; else undefined
};

class MaskToken : public Layer {
 public:
  // `dropping` may be null; no other one has it.
  MaskToken(const network::MaskToken& layer, std::shared_ptr<DropTokens> dropping);
  torch::Tensor forward(torch::Tensor input) override;
  torch::Tensor OwnTensor() const override { return token_; }

 private:
  const torch::Tensor token_;
  const std::shared_ptr<DropTokens> dropping_;
};

}  // namespace facegate
