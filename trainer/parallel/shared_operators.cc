#include "trainer/parallel/shared_operators.h"

#include <torch/autograd.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace facegate {

void ThrowUnlessOk(const Status& status) {
  if (!status.ok()) throw std::runtime_error(std::string(MessageOf(status)));
}

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr char kGroup[] = "group";
constexpr char kCount[] = "count";

// Takes the group to the way back.
struct GroupHolder : torch::CustomClassHolder {
  explicit GroupHolder(ProcessGroup& of) : group(of) {}
  ProcessGroup& group;
};

void Keep(ProcessGroup& group, AutogradContext& context) {
  context.saved_data[kGroup] = c10::IValue::make_capsule(c10::make_intrusive<GroupHolder>(group));
}

ProcessGroup& Kept(AutogradContext& context) {
  return static_cast<GroupHolder*>(context.saved_data[kGroup].toCapsule().get())->group;
}

Tensor Summed(const Tensor& numbers, ProcessGroup& group) {
  Tensor sum = numbers.contiguous().clone();
  ThrowUnlessOk(group.Sum(sum));
  return sum;
}

Tensor Stacked(const Tensor& tensor, ProcessGroup& group) {
  const auto all = group.Gather(tensor.contiguous());
  ThrowUnlessOk(all.status());
  return torch::stack(*all);
}

struct GatherOperator : torch::autograd::Function<GatherOperator> {
  static Tensor forward(AutogradContext* context, const Tensor& rows, ProcessGroup* group) {
    Keep(*group, *context);
    return Stacked(rows, *group).flatten(0, 1);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    ProcessGroup& group = Kept(*context);
    const Tensor sum = Summed(gradients[0], group);
    const int64_t rows = sum.size(0) / group.size();
    return {sum.narrow(0, group.rank() * rows, rows), Tensor()};
  }
};

struct SumOperator : torch::autograd::Function<SumOperator> {
  static Tensor forward(AutogradContext* context, const Tensor& numbers, ProcessGroup* group) {
    Keep(*group, *context);
    return Summed(numbers, *group);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {Summed(gradients[0], Kept(*context)), Tensor()};
  }
};

// Sums need at least as many digits as a float has.
Tensor AtLeastFloat(const Tensor& tensor) {
  return tensor.scalar_type() == torch::kDouble ? tensor : tensor.to(torch::kFloat);
}

// All dimensions but that of the channels.
std::vector<int64_t> Places(const Tensor& input) {
  std::vector<int64_t> dimensions = {0};
  for (int64_t i = 2; i < input.dim(); ++i) dimensions.push_back(i);
  return dimensions;
}

Tensor AsChannels(const Tensor& numbers, const Tensor& input) {
  std::vector<int64_t> shape(static_cast<size_t>(input.dim()), 1);
  shape[1] = numbers.numel();
  return numbers.to(input.scalar_type()).view(shape);
}

struct Statistics {
  Tensor mean;  // double
  Tensor variance;
  int64_t count = 0;  // of each channel, over all processes
};

Statistics StatisticsOf(const Tensor& input, ProcessGroup& group) {
  const auto [variance, mean] = torch::var_mean(input, Places(input), /*unbiased=*/false);
  const Tensor all = Stacked(torch::stack({mean, variance}).to(torch::kDouble), group);
  const Tensor means = all.select(1, 0);
  const Tensor common = means.mean(0);
  return {.mean = common,
          .variance = (all.select(1, 1) + (means - common).square()).mean(0),
          .count = group.size() * input.numel() / input.size(1)};
}

struct NormOperator : torch::autograd::Function<NormOperator> {
  static Tensor forward(AutogradContext* context, const Tensor& given, const Tensor& gamma,
                        const Tensor& beta, Tensor running_mean, Tensor running_var,
                        const NormOptions* options, ProcessGroup* group) {
    const Tensor input = AtLeastFloat(given);
    const Statistics statistics = StatisticsOf(input, *group);
    const Tensor mean = statistics.mean.to(gamma.scalar_type());
    const Tensor variance = statistics.variance.to(gamma.scalar_type());
    const auto count = static_cast<double>(statistics.count);
    running_mean.lerp_(mean, options->momentum);
    running_var.lerp_(variance * (count / (count - 1.0)), options->momentum);
    const Tensor scale = torch::rsqrt(statistics.variance + options->epsilon);
    context->save_for_backward({input, gamma, statistics.mean, scale});
    context->saved_data[kCount] = statistics.count;
    Keep(*group, *context);
    return std::get<0>(torch::native_batch_norm(input, gamma, beta, mean, variance,
                                                /*training=*/false, 0.0, options->epsilon))
        .to(given.scalar_type());
  }

  // With x the normalised input and g the gradient: (g - mean of g - x · mean of g x) · gamma /
  // deviation.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& input = saved[0];
    const Tensor& mean = saved[2];
    const Tensor& scale = saved[3];
    const Tensor gradient = AtLeastFloat(gradients[0]);
    const Tensor moved = input - AsChannels(mean, input);
    const Tensor sums =
        torch::stack({gradient.sum(Places(input)), (gradient * moved).sum(Places(input))})
            .to(torch::kDouble);
    const Tensor means =
        Summed(sums, Kept(*context)) / static_cast<double>(context->saved_data[kCount].toInt());
    const Tensor factor = saved[1].to(torch::kDouble) * scale;
    const Tensor back = -factor * scale.square() * means[1];
    const Tensor result =
        torch::addcmul(AsChannels(-factor * means[0], input), moved, AsChannels(back, input))
            .addcmul_(gradient, AsChannels(factor, input));
    const auto type = saved[1].scalar_type();
    return {result.to(gradients[0].scalar_type()),
            (sums[1] * scale).to(type),
            sums[0].to(type),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor()};
  }
};

}  // namespace

Tensor RowsOfAll(const Tensor& rows, ProcessGroup& group) {
  return GatherOperator::apply(rows, &group);
}

Tensor SumOfAll(const Tensor& numbers, ProcessGroup& group) {
  return SumOperator::apply(numbers, &group);
}

Tensor LargestOfAll(const Tensor& numbers, ProcessGroup& group) {
  Tensor largest = numbers.detach().contiguous().clone();
  ThrowUnlessOk(group.Max(largest));
  return largest;
}

Tensor NormOverAll(const Tensor& input, Tensor gamma, Tensor beta, Tensor running_mean,
                   Tensor running_var, const NormOptions& options, ProcessGroup& group) {
  if (!gamma.defined()) gamma = torch::ones_like(running_mean);
  if (!beta.defined()) beta = torch::zeros_like(running_mean);
  return NormOperator::apply(input, gamma, beta, running_mean, running_var, &options, &group);
}

}  // namespace facegate
