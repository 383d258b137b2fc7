#include "trainer/learn/optimizer.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

namespace facegate {
namespace {

using torch::Tensor;

// The gradients with the weight decay in them.
template <typename Group>
std::vector<Tensor> DecayedGradients(const Group& group) {
  if (group.weight_decay == 0.0) return group.gradients;
  return at::_foreach_add(group.gradients, group.values, group.weight_decay);
}

// Sutskever et al., 2013, as PyTorch writes it: the decay enters the gradient, the momentum sums
// gradients without the rate.
class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, std::vector<TrainedParameter> parameters)
      : Optimizer(options, std::move(parameters), {"momentum"}) {}

 protected:
  void Update(Group& group) override {
    std::vector<Tensor>& momentum = group.slots[0];
    std::vector<Tensor> gradients = DecayedGradients(group);
    at::_foreach_mul_(momentum, options().momentum);
    at::_foreach_add_(momentum, gradients);
    if (options().nesterov) {
      gradients = at::_foreach_add(gradients, momentum, options().momentum);
    }
    const std::vector<Tensor>& changes = options().nesterov ? gradients : momentum;
    at::_foreach_add_(group.values, changes, -group.learning_rate);
  }
};

// Kingma and Ba, 2015; with `decoupled` decay Loshchilov and Hutter's AdamW, 2019.
class Adam final : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, std::vector<TrainedParameter> parameters, bool decoupled)
      : Optimizer(options, std::move(parameters), {"mean", "square"}), decoupled_(decoupled) {}

 protected:
  void Update(Group& group) override {
    const OptimizerOptions& o = options();
    std::vector<Tensor> gradients = decoupled_ ? group.gradients : DecayedGradients(group);
    if (decoupled_ && group.weight_decay != 0.0) {
      at::_foreach_mul_(group.values, 1.0 - group.learning_rate * group.weight_decay);
    }
    at::_foreach_mul_(group.slots[0], o.beta1);
    at::_foreach_add_(group.slots[0], gradients, 1.0 - o.beta1);
    at::_foreach_mul_(group.slots[1], o.beta2);
    at::_foreach_addcmul_(group.slots[1], gradients, gradients, 1.0 - o.beta2);
    const auto t = static_cast<double>(steps());
    const double mean_scale = 1.0 - std::pow(o.beta1, t);
    const double square_scale = 1.0 - std::pow(o.beta2, t);
    std::vector<Tensor> spread = at::_foreach_sqrt(group.slots[1]);
    at::_foreach_div_(spread, std::sqrt(square_scale));
    at::_foreach_add_(spread, o.epsilon);
    at::_foreach_addcdiv_(group.values, group.slots[0], spread, -group.learning_rate / mean_scale);
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
  void Update(Group& group) override {
    const OptimizerOptions& o = options();
    const std::vector<Tensor> gradients = DecayedGradients(group);
    at::_foreach_mul_(group.slots[0], o.beta1);
    at::_foreach_add_(group.slots[0], gradients, 1.0 - o.beta1);
    at::_foreach_mul_(group.slots[1], o.beta2);
    at::_foreach_addcmul_(group.slots[1], gradients, gradients, 1.0 - o.beta2);
    const auto t = static_cast<double>(steps());
    const double rate =
        group.learning_rate * std::sqrt(1.0 - std::pow(o.beta2, t)) / (1.0 - std::pow(o.beta1, t));
    // The bounds follow the schedule.
    const double end = o.final_rate * group.learning_rate / o.base_rate;
    const double lower = end * (1.0 - 1.0 / (o.bound_speed * t + 1.0));
    const double upper = end * (1.0 + 1.0 / (o.bound_speed * t));
    for (size_t i = 0; i < group.values.size(); ++i) {
      Tensor& square = group.slots[1][i];
      Tensor& largest = group.slots[2][i];
      if (o.amsbound) largest.copy_(torch::max(largest, square));
      const Tensor spread = (o.amsbound ? largest : square).sqrt().add_(o.epsilon);
      group.values[i].sub_(torch::clamp(rate / spread, lower, upper) * group.slots[0][i]);
    }
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
  for (Group& group : Groups(learning_rate)) Update(group);
}

std::vector<Optimizer::Group> Optimizer::Groups(double learning_rate) const {
  std::vector<Group> groups;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const TrainedParameter& parameter = parameters_[i];
    const Tensor gradient = parameter.value.grad();
    if (!gradient.defined()) continue;
    const double rate = learning_rate * parameter.rate;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& one) {
      return parameter.value.is_cuda() && one.weight_decay == parameter.weight_decay &&
             one.learning_rate == rate;
    });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), {.slots = {slot_names_.size(), std::vector<Tensor>()},
                                           .weight_decay = parameter.weight_decay,
                                           .learning_rate = rate});
    }
    group->values.push_back(parameter.value);
    group->gradients.push_back(gradient);
    for (size_t j = 0; j < slot_names_.size(); ++j) group->slots[j].push_back(slots_[i][j]);
  }
  return groups;
}

std::vector<Tensor> Optimizer::Gradients() const {
  std::vector<Tensor> all;
  for (const TrainedParameter& parameter : parameters_) {
    const Tensor gradient = parameter.value.grad();
    if (gradient.defined()) all.push_back(gradient);
  }
  return all;
}

void Optimizer::ZeroGrad() {
  // Not zeros: a parameter without a gradient stays, and so it must after a checkpoint was read.
  for (const TrainedParameter& parameter : parameters_) {
    Tensor value = parameter.value;
    value.mutable_grad().reset();
  }
}

double Optimizer::GradientNorm() const {
  return std::sqrt(SquaredGradientNorm(false) + SquaredGradientNorm(true));
}

double Optimizer::SquaredGradientNorm(bool of_shares) const {
  const torch::NoGradGuard no_grad;
  double squares = 0.0;
  for (const TrainedParameter& parameter : parameters_) {
    const Tensor gradient = parameter.value.grad();
    if (parameter.is_share != of_shares || !gradient.defined()) continue;
    squares += gradient.to(torch::kDouble).square().sum().item<double>();
  }
  return squares;
}

std::vector<Tensor> Optimizer::WholeGradients() const {
  std::vector<Tensor> whole;
  for (const TrainedParameter& parameter : parameters_) {
    const Tensor gradient = parameter.value.grad();
    if (!parameter.is_share && gradient.defined()) whole.push_back(gradient);
  }
  return whole;
}

Tensor Optimizer::QueuedGradientNorm() const {
  const torch::NoGradGuard no_grad;
  return torch::stack(at::_foreach_norm(Gradients())).to(torch::kDouble).norm();
}

Tensor Optimizer::QueuedSquaredNorm(bool of_shares) const {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (const TrainedParameter& parameter : parameters_) {
    const Tensor gradient = parameter.value.grad();
    if (parameter.is_share == of_shares && gradient.defined()) gradients.push_back(gradient);
  }
  if (gradients.empty()) {
    return torch::zeros({}, parameters_.front().value.options().dtype(torch::kDouble));
  }
  return torch::stack(at::_foreach_norm(gradients)).to(torch::kDouble).square().sum();
}

void Optimizer::ScaleGradients(double factor) {
  const torch::NoGradGuard no_grad;
  const std::vector<Tensor> gradients = Gradients();
  if (!gradients.empty()) at::_foreach_mul_(gradients, factor);
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
