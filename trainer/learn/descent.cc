#include "trainer/learn/descent.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace facegate {
namespace {

// The gradients as they are, to be put back.
class KeptGradients {
 public:
  explicit KeptGradients(const Optimizer& optimizer) {
    for (const TrainedParameter& parameter : optimizer.parameters()) {
      const torch::Tensor gradient = parameter.value.grad();
      kept_.emplace_back(parameter.value, gradient.defined() ? gradient.clone() : gradient);
    }
  }
  void Restore() {
    for (auto& [parameter, gradient] : kept_) parameter.mutable_grad() = gradient;
  }

 private:
  std::vector<std::pair<torch::Tensor, torch::Tensor>> kept_;
};

}  // namespace

Descent::Descent(std::unique_ptr<Optimizer> optimizer, LrSchedule schedule, double clip_norm)
    : optimizer_(std::move(optimizer)), schedule_(std::move(schedule)), clip_norm_(clip_norm) {}

double Descent::Gather(const torch::Tensor& loss, const std::function<void()>& change) {
  if (!std::isfinite(loss.item<double>())) return std::numeric_limits<double>::quiet_NaN();
  std::optional<KeptGradients> before;
  if (gathered_ > 0) before.emplace(*optimizer_);
  loss.backward();
  if (change) change();
  const double norm = optimizer_->GradientNorm();
  if (std::isfinite(norm)) {
    gathered_norm_ = norm;
    gathered_ += 1;
  } else if (before.has_value()) {
    before->Restore();
  } else {
    optimizer_->ZeroGrad();
  }
  return norm;
}

bool Descent::Update() {
  if (gathered_ == 0) return false;
  double scale = 1.0 / static_cast<double>(gathered_);
  gradient_norm_ = gathered_norm_ * scale;
  if (clip_norm_ > 0.0 && gradient_norm_ > clip_norm_) scale *= clip_norm_ / gradient_norm_;
  if (scale != 1.0) optimizer_->ScaleGradients(scale);
  optimizer_->Step(learning_rate());
  optimizer_->ZeroGrad();
  gathered_ = 0;
  return true;
}

void Descent::AddState(const std::string& prefix, std::vector<NamedTensor>& state) {
  for (const Optimizer::State& slot : optimizer_->state()) {
    state.push_back({.name = prefix + slot.name, .value = slot.value});
  }
}

void Descent::Resume(int64_t updates, double gradient_norm) {
  optimizer_->set_steps(updates);
  optimizer_->ZeroGrad();
  gathered_ = 0;
  gradient_norm_ = gradient_norm;
}

}  // namespace facegate
