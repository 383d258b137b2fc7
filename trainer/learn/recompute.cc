#include "trainer/learn/recompute.h"

#include <torch/autograd.h>

#include <mutex>
#include <utility>
#include <vector>

#include "trainer/learn/autocast.h"
#include "trainer/learn/kept_tensors.h"

namespace facegate {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Type = std::optional<torch::ScalarType>;

constexpr char kSegment[] = "segment";

variable_list TrainedIn(const LayerSegment& segment) {
  variable_list trained;
  for (const auto& layer : segment.layers) {
    for (const Tensor& parameter : layer->parameters()) {
      if (parameter.requires_grad()) trained.push_back(parameter);
    }
    const Tensor own = layer->OwnTensor();
    if (own.defined() && own.requires_grad()) trained.push_back(own);
  }
  return trained;
}

std::vector<Tensor> BuffersIn(const LayerSegment& segment) {
  std::vector<Tensor> buffers;
  for (const auto& layer : segment.layers) {
    for (const Tensor& buffer : layer->buffers()) buffers.push_back(buffer);
  }
  return buffers;
}

// Where the random numbers of a device stand.
Tensor RandomNow(const torch::Device& device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void SetRandom(const torch::Device& device, const Tensor& state) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

// Draws from where a state says, until the end of the scope.
class RandomScope {
 public:
  RandomScope(const torch::Device& device, const Tensor& state)
      : device_(device), before_(RandomNow(device)) {
    SetRandom(device, state);
  }
  ~RandomScope() { SetRandom(device_, before_); }
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

 private:
  const torch::Device device_;
  const Tensor before_;
};

// What the way back needs to run a segment again, beside its input.
struct KeptSegment : torch::CustomClassHolder {
  KeptSegment(LayerSegment of, Type in, const torch::Device& device)
      : segment(std::move(of)), type(in), random(RandomNow(device)) {}

  // The gradients by `wanted`, the tensors that the segment's output depends on.
  variable_list Differentiate(const Tensor& input, const variable_list& wanted,
                              const Tensor& gradient) const {
    KeptTensors buffers(BuffersIn(segment));
    const torch::AutoGradMode with_gradients(true);
    Tensor output;
    {
      const AutocastScope scope(input.device().type(), type);
      const RandomScope same(input.device(), random);
      output = segment.Pass(input);
    }
    variable_list gradients =
        torch::autograd::grad({output}, wanted, {gradient}, /*retain_graph=*/false,
                              /*create_graph=*/false, /*allow_unused=*/true);
    buffers.Restore();
    return gradients;
  }

  const LayerSegment segment;
  const Type type;
  const Tensor random;  // where its random numbers began
};

struct SegmentOperator : torch::autograd::Function<SegmentOperator> {
  static Tensor forward(AutogradContext* context, const Tensor& input, at::TensorList trained,
                        const c10::intrusive_ptr<KeptSegment>* kept) {
    variable_list saved = {input};
    saved.insert(saved.end(), trained.begin(), trained.end());
    context->save_for_backward(std::move(saved));
    context->saved_data[kSegment] = c10::IValue::make_capsule(*kept);
    return (*kept)->segment.Pass(input);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    variable_list wanted = context->get_saved_variables();
    const auto capsule = context->saved_data[kSegment].toCapsule();
    const bool wants_input = context->needs_input_grad(0);
    const Tensor input = wanted.front().detach().requires_grad_(wants_input);
    if (wants_input) {
      wanted.front() = input;
    } else {
      wanted.erase(wanted.begin());
    }
    variable_list results =
        static_cast<const KeptSegment&>(*capsule).Differentiate(input, wanted, gradients.front());
    if (!wants_input) results.insert(results.begin(), Tensor());
    results.emplace_back();
    return results;
  }
};

}  // namespace

SegmentRun RecomputeSegments(std::optional<torch::ScalarType> type) {
  return [type](const Tensor& input, const LayerSegment& segment) {
    const variable_list trained = TrainedIn(segment);
    if (trained.empty() && !input.requires_grad()) return segment.Pass(input);
    const auto kept = c10::make_intrusive<KeptSegment>(segment, type, input.device());
    return SegmentOperator::apply(input, at::TensorList(trained), &kept);
  };
}

}  // namespace facegate
