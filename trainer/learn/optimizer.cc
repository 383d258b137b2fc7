#include "trainer/learn/optimizer.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

namespace facegate {
namespace {

using torch::Tensor;

// Sutskever et al., 2013, as PyTorch writes it: the decay enters the gradient, the momentum sums
// gradients without the rate.
class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, std::vector<TrainedParameter> parameters)
      : Optimizer(options, std::move(parameters), {"momentum"}) {}

 protected:
  void Update(const TrainedParameter& parameter, Tensor gradient, std::vector<Tensor>& slots,
              double learning_rate) override {
    if (parameter.weight_decay != 0.0) {
      gradient = gradient.add(parameter.value, parameter.weight_decay);
    }
    Tensor& momentum = slots[0];
    momentum.mul_(options().momentum).add_(gradient);
    const Tensor& change =
        options().nesterov ? gradient.add(momentum, options().momentum) : momentum;
    Tensor value = parameter.value;
    value.add_(change, -learning_rate);
  }
};

// Kingma and Ba, 2015; with `decoupled` decay Loshchilov and Hutter's AdamW, 2019.
class Adam final : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, std::vector<TrainedParameter> parameters, bool decoupled)
      : Optimizer(options, std::move(parameters), {"mean", "square"}), decoupled_(decoupled) {}

 protected:
  void Update(const TrainedParameter& parameter, Tensor gradient, std::vector<Tensor>& slots,
              double learning_rate) override {
    const OptimizerOptions& o = options();
    Tensor value = parameter.value;
    if (parameter.weight_decay != 0.0) {
      if (decoupled_) {
        value.mul_(1.0 - learning_rate * parameter.weight_decay);
      } else {
        gradient = gradient.add(value, parameter.weight_decay);
      }
    }
    slots[0].mul_(o.beta1).add_(gradient, 1.0 - o.beta1);
    slots[1].mul_(o.beta2).addcmul_(gradient, gradient, 1.0 - o.beta2);
    const auto t = static_cast<double>(steps());
    const double mean_scale = 1.0 - std::pow(o.beta1, t);
    const double square_scale = 1.0 - std::pow(o.beta2, t);
    const Tensor spread = (slots[1].sqrt() / std::sqrt(square_scale)).add_(o.epsilon);
    value.addcdiv_(slots[0], spread, -learning_rate / mean_scale);
  }

 private:
  const bool decoupled_;
};

// Luo et al., "Adaptive Gradient Methods with Dynamic Bound of Learning Rate", 2019.
class AdaBound final : public Optimizer {
 public:
  AdaBound(const OptimizerOptions& options, std::vector<TrainedParameter> parameters)
      : Optimizer(options, std::move(parameters), {"mean", "square", "largest_square"}) {}

 protected:
  void Update(const TrainedParameter& parameter, Tensor gradient, std::vector<Tensor>& slots,
              double learning_rate) override {
    const OptimizerOptions& o = options();
    Tensor value = parameter.value;
    if (parameter.weight_decay != 0.0) gradient = gradient.add(value, parameter.weight_decay);
    slots[0].mul_(o.beta1).add_(gradient, 1.0 - o.beta1);
    slots[1].mul_(o.beta2).addcmul_(gradient, gradient, 1.0 - o.beta2);
    if (o.amsbound) slots[2].copy_(torch::max(slots[2], slots[1]));
    const Tensor spread = (o.amsbound ? slots[2] : slots[1]).sqrt().add_(o.epsilon);
    const auto t = static_cast<double>(steps());
    const double rate =
        learning_rate * std::sqrt(1.0 - std::pow(o.beta2, t)) / (1.0 - std::pow(o.beta1, t));
    // The bounds follow the schedule.
    const double end = o.final_rate * learning_rate / o.base_rate;
    const double lower = end * (1.0 - 1.0 / (o.bound_speed * t + 1.0));
    const double upper = end * (1.0 + 1.0 / (o.bound_speed * t));
    value.sub_(torch::clamp(rate / spread, lower, upper) * slots[0]);
  }
};

}  // namespace

const std::vector<std::string>& OptimizerKinds() {
  static const std::vector<std::string> kinds = {"sgd", "adam", "adamw", "adabound"};
  return kinds;
}

StatusOr<std::unique_ptr<Optimizer>> Optimizer::Create(const OptimizerOptions& options,
                                                       std::vector<TrainedParameter> parameters) {
  const std::tuple<std::string_view, double, NumberRange> all[] = {
      {"momentum", options.momentum, LearningRange::kMomentum},
      {"beta1", options.beta1, LearningRange::kMomentum},
      {"beta2", options.beta2, LearningRange::kBeta2},
      {"epsilon", options.epsilon, LearningRange::kEpsilon},
      {"final_rate", options.final_rate, LearningRange::kFinalRate},
      {"bound_speed", options.bound_speed, LearningRange::kBoundSpeed},
      {"base_rate", options.base_rate, ScheduleRange::kRate}};
  for (const auto& [name, value, range] : all) {
    FACEGATE_RETURN_IF_ERROR(CheckRange(name, value, range));
  }
  std::unique_ptr<Optimizer> optimizer;
  if (options.kind == "sgd") {
    optimizer = std::make_unique<Sgd>(options, std::move(parameters));
  } else if (options.kind == "adam" || options.kind == "adamw") {
    const bool decoupled = options.kind == "adamw";
    optimizer = std::make_unique<Adam>(options, std::move(parameters), decoupled);
  } else if (options.kind == "adabound") {
    optimizer = std::make_unique<AdaBound>(options, std::move(parameters));
  } else {
    return InvalidArgument(fmt::format("the optimiser {} is not one of {}", options.kind,
                                       fmt::join(OptimizerKinds(), ", ")));
  }
  return optimizer;
}

Optimizer::Optimizer(const OptimizerOptions& options, std::vector<TrainedParameter> parameters,
                     std::vector<std::string> slots)
    : options_(options), parameters_(std::move(parameters)), slot_names_(std::move(slots)) {
  for (const TrainedParameter& parameter : parameters_) {
    std::vector<Tensor>& own = slots_.emplace_back();
    for (size_t i = 0; i < slot_names_.size(); ++i) {
      own.push_back(torch::zeros_like(parameter.value));
    }
  }
}

void Optimizer::Step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  steps_ += 1;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor gradient = parameters_[i].value.grad();
    if (!gradient.defined()) continue;
    Update(parameters_[i], gradient, slots_[i], learning_rate * parameters_[i].rate);
  }
}

void Optimizer::ZeroGrad() {
  // Not zeros: a parameter without a gradient stays, and so it must after a checkpoint was read.
  for (const TrainedParameter& parameter : parameters_) {
    Tensor value = parameter.value;
    value.mutable_grad().reset();
  }
}

double Optimizer::GradientNorm() const {
  const torch::NoGradGuard no_grad;
  double squares = 0.0;
  for (const TrainedParameter& parameter : parameters_) {
    const Tensor gradient = parameter.value.grad();
    if (gradient.defined()) squares += gradient.to(torch::kDouble).square().sum().item<double>();
  }
  return std::sqrt(squares);
}

void Optimizer::ScaleGradients(double factor) {
  const torch::NoGradGuard no_grad;
  for (const TrainedParameter& parameter : parameters_) {
    Tensor gradient = parameter.value.grad();
    if (gradient.defined()) gradient.mul_(factor);
  }
}

std::vector<Optimizer::State> Optimizer::state() {
  std::vector<State> all;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    for (size_t j = 0; j < slot_names_.size(); ++j) {
      all.push_back({.name = parameters_[i].name + "." + slot_names_[j], .value = slots_[i][j]});
    }
  }
  return all;
}

}  // namespace facegate
