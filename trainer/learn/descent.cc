#include "trainer/learn/descent.h"

#include <cmath>
#include <limits>
#include <utility>

#include "trainer/parallel/shared_operators.h"

namespace facegate {

class Descent::KeptGradients {
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
  void AddToThoseOfNow() const {
    for (const auto& [parameter, gradient] : kept_) {
      if (gradient.defined()) parameter.grad().add_(gradient);
    }
  }

 private:
  std::vector<std::pair<torch::Tensor, torch::Tensor>> kept_;
};

Descent::Descent(std::unique_ptr<Optimizer> optimizer, LrSchedule schedule, double clip_norm)
    : optimizer_(std::move(optimizer)), schedule_(std::move(schedule)), clip_norm_(clip_norm) {}

Descent::~Descent() = default;

void Descent::ScaleLosses(const torch::Device& device) {
  scaler_.emplace();
  scale_ = torch::full({}, scaler_->scale(), torch::TensorOptions(torch::kFloat).device(device));
}

std::optional<double> Descent::loss_scale() const {
  return scaler_.has_value() ? std::optional(scaler_->scale()) : std::nullopt;
}

double Descent::Gather(const torch::Tensor& loss, const std::function<void()>& change) {
  if (!std::isfinite(loss.item<double>())) return std::numeric_limits<double>::quiet_NaN();
  Differentiate(loss);
  if (change) change();
  return Judge(GradientNorm());
}

double Descent::GradientNorm() const {
  if (group_ == nullptr) return optimizer_->GradientNorm();
  torch::Tensor shares = torch::full({1}, optimizer_->SquaredGradientNorm(true), torch::kDouble);
  ThrowUnlessOk(group_->Sum(shares));
  return std::sqrt(optimizer_->SquaredGradientNorm(false) + shares.item<double>());
}

torch::Tensor Descent::Backward(const torch::Tensor& loss) {
  Differentiate(scaler_.has_value() ? loss * scale_ : loss);
  if (group_ == nullptr) return optimizer_->QueuedGradientNorm();
  torch::Tensor shares = optimizer_->QueuedSquaredNorm(true);
  ThrowUnlessOk(group_->Sum(shares));
  return (optimizer_->QueuedSquaredNorm(false) + shares).sqrt();
}

void Descent::Differentiate(const torch::Tensor& loss) {
  if (gathered_ > 0) before_ = std::make_unique<KeptGradients>(*optimizer_);
  if (group_ != nullptr) {
    DifferentiateTogether(loss);
  } else {
    loss.backward();
  }
}

void Descent::DifferentiateTogether(const torch::Tensor& loss) {
  // Those gathered are sums over processes already.
  optimizer_->ZeroGrad();
  (loss / static_cast<double>(group_->size())).backward();
  ThrowUnlessOk(SumTogether(optimizer_->WholeGradients(), *group_, travel_));
  if (before_ != nullptr) before_->AddToThoseOfNow();
}

double Descent::Judge(double norm) {
  norm /= scale();
  if (std::isfinite(norm)) {
    gathered_norm_ = norm;
    gathered_ += 1;
  } else if (before_ != nullptr) {
    before_->Restore();
  } else {
    optimizer_->ZeroGrad();
  }
  before_.reset();
  if (scaler_.has_value()) AdjustScale(std::isfinite(norm));
  return norm;
}

void Descent::AdjustScale(bool finite) {
  const double before = scale();
  scaler_->After(finite);
  if (scale() == before) return;
  scale_.fill_(scale());
  if (gathered_ > 0) optimizer_->ScaleGradients(scale() / before);
}

bool Descent::Update() {
  if (gathered_ == 0) return false;
  double factor = 1.0 / static_cast<double>(gathered_);
  gradient_norm_ = gathered_norm_ * factor;
  if (clip_norm_ > 0.0 && gradient_norm_ > clip_norm_) factor *= clip_norm_ / gradient_norm_;
  factor /= scale();
  if (factor != 1.0) optimizer_->ScaleGradients(factor);
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

void Descent::SaveScale(CheckpointFacts& facts) const {
  if (scaler_.has_value()) scaler_->Save(facts);
}

Status Descent::ResumeScale(const CheckpointFacts& facts) {
  if (!scaler_.has_value()) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(scaler_->Resume(facts));
  scale_.fill_(scale());
  return OkStatus();
}

}  // namespace facegate
