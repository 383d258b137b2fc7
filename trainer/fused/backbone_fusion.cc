#include "trainer/fused/backbone_fusion.h"

#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "trainer/fused/fused_pass.h"
#include "trainer/fused/openmp_workers.h"

namespace facegate {

// The layers compute the same one by one.
static_assert(FusedPass::kEpsilon == kNormEpsilon && FusedPass::kMomentum == kNormMomentum);

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool StageBuilder::AddConvolution(const ConvShape& shape, const Tensor& weight) {
  if (!has_norm_) return false;
  Stage stage{.in = shape.in,
              .out = shape.out,
              .kernel = shape.kernel,
              .stride = shape.stride,
              .padding = shape.padding};
  const std::optional<StageKind> kind = KindOf(stage, shape.groups, stages_.empty());
  if (!kind.has_value()) return false;
  stage.kind = *kind;
  stages_.push_back({.stage = stage, .weight = weight});
  has_norm_ = false;
  return true;
}

bool StageBuilder::AddNorm(NormTensors tensors) {
  if (stages_.empty() || has_norm_) return false;
  stages_.back().norm = std::move(tensors);
  has_norm_ = true;
  return true;
}

bool StageBuilder::AddPRelu(const Tensor& slope) {
  if (stages_.empty() || !has_norm_) return false;
  FusedStage& last = stages_.back();
  if (last.stage.activated || last.stage.added != Stage::kNothing) return false;
  last.stage.activated = true;
  last.slope = slope;
  return true;
}

bool StageBuilder::BeginResidual() {
  if (!has_norm_) return false;
  residuals_.push_back(static_cast<int>(stages_.size()) - 1);
  return true;
}

bool StageBuilder::EndResidual() {
  const int begin = residuals_.back();
  residuals_.pop_back();
  if (!has_norm_ || static_cast<int>(stages_.size()) - 1 == begin) return false;
  Stage& last = stages_.back().stage;
  const int64_t channels =
      begin < 0 ? stages_.front().stage.in : stages_[static_cast<size_t>(begin)].stage.out;
  if (last.activated || last.added != Stage::kNothing || last.out != channels) return false;
  // A value is added once at most.
  const bool taken = std::any_of(stages_.begin(), stages_.end(), [begin](const FusedStage& one) {
    return one.stage.added == begin;
  });
  // A picture has no gradient, so nothing is added to it.
  if (taken || (begin < 0 && stages_.front().stage.kind == StageKind::kPicture)) return false;
  last.added = begin;
  return true;
}

bool StageBuilder::complete() const { return !stages_.empty() && has_norm_ && residuals_.empty(); }

std::unique_ptr<LayerRun> StageBuilder::MakeRun() const {
  return std::make_unique<FusedRun>(stages_);
}

std::unique_ptr<FusionBuilder> BeginStages() { return std::make_unique<StageBuilder>(); }

// Memory of passes that ended, for those to come.
struct FusedRun::Passes {
  // Kept by a result until its gradient is taken; then the memory is free again.
  struct Lease final : torch::CustomClassHolder {
    ~Lease() override { owner->last = std::move(pass); }

    std::shared_ptr<Passes> owner;
    std::unique_ptr<FusedPass> pass;
    std::vector<Tensor> weights;  // with their channels last
    std::vector<StageWeights> pointers;
    Tensor input;
  };

  std::unique_ptr<FusedPass> Take(const std::vector<Stage>& stages, const Tensor& input) {
    const Extent extent{.height = input.size(2), .width = input.size(3)};
    const int workers = at::get_num_threads();
    if (last != nullptr) {
      const FusedPass::Shape& had = last->shape();
      if (had.batch == input.size(0) && had.extents.front() == extent && had.workers >= workers) {
        return std::move(last);
      }
    }
    last.reset();
    return std::make_unique<FusedPass>(FusedPass::Shape{.stages = stages,
                                                        .extents = *Extents(stages, extent),
                                                        .batch = input.size(0),
                                                        .workers = workers},
                                       UsableSimdKernels().front());
  }

  class Operator;

  std::unique_ptr<FusedPass> last;
};

namespace {

std::vector<Stage> ShapesOf(const std::vector<FusedStage>& stages) {
  std::vector<Stage> shapes;
  shapes.reserve(stages.size());
  for (const FusedStage& stage : stages) shapes.push_back(stage.stage);
  return shapes;
}

Tensor ChannelsLast(const Tensor& weight) { return weight.permute({0, 2, 3, 1}).contiguous(); }

// The order is that of FusedRun::Operator's arguments and results.
std::vector<Tensor> ParametersOf(const std::vector<FusedStage>& stages) {
  std::vector<Tensor> parameters;
  parameters.reserve(4 * stages.size());
  for (const FusedStage& stage : stages) {
    for (const Tensor& one : {stage.weight, stage.norm.gamma, stage.norm.beta, stage.slope}) {
      if (one.defined()) parameters.push_back(one);
    }
  }
  return parameters;
}

}  // namespace

class FusedRun::Passes::Operator : public torch::autograd::Function<Operator> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& input, at::TensorList parameters,
                        const std::vector<FusedStage>* stages,
                        const std::shared_ptr<Passes>* passes) {
    auto lease = c10::make_intrusive<Lease>();
    lease->owner = *passes;
    lease->input = input.contiguous(at::MemoryFormat::ChannelsLast);
    lease->pass = (*passes)->Take(ShapesOf(*stages), lease->input);
    lease->pointers.reserve(stages->size());
    lease->weights.reserve(stages->size());
    for (const FusedStage& stage : *stages) {
      lease->weights.push_back(ChannelsLast(stage.weight));
      lease->pointers.push_back(
          {.weight = lease->weights.back().data_ptr<float>(),
           .gamma = stage.norm.gamma.data_ptr<float>(),
           .beta = stage.norm.beta.data_ptr<float>(),
           .slope = stage.slope.defined() ? stage.slope.data_ptr<float>() : nullptr,
           .running_mean = stage.norm.running_mean.data_ptr<float>(),
           .running_var = stage.norm.running_var.data_ptr<float>()});
    }
    const Extent& extent = lease->pass->shape().extents.back();
    Tensor output =
        torch::empty({input.size(0), stages->back().stage.out, extent.height, extent.width},
                     torch::TensorOptions().memory_format(at::MemoryFormat::ChannelsLast));
    OpenMpWorkers workers(lease->pass->shape().workers);
    lease->pass->Forward(lease->input.data_ptr<float>(), lease->pointers, output.data_ptr<float>(),
                         workers);
    context->saved_data["lease"] = c10::IValue::make_capsule(lease);
    context->save_for_backward(parameters.vec());
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& output_gradients) {
    // Refuses parameters that were changed since.
    const variable_list parameters = context->get_saved_variables();
    const auto capsule = context->saved_data["lease"].toCapsule();
    auto& lease = static_cast<Lease&>(*capsule);
    const std::vector<Stage>& stages = lease.pass->shape().stages;
    variable_list results(parameters.size() + 3);
    std::vector<StageGradients> gradients;
    gradients.reserve(stages.size());
    size_t at = 0;
    const auto next = [&] {
      at += 1;
      results[at] = torch::empty_like(parameters[at - 1]);
      return results[at].data_ptr<float>();
    };
    for (size_t i = 0; i < stages.size(); ++i) {
      const Tensor weight = torch::empty_like(lease.weights[i]);
      at += 1;
      results[at] = weight.permute({0, 3, 1, 2});
      StageGradients& one = gradients.emplace_back();
      one.weight = weight.data_ptr<float>();
      one.gamma = next();
      one.beta = next();
      if (stages[i].activated) one.slope = next();
    }
    const bool wants_input = context->needs_input_grad(0);
    if (wants_input) results[0] = torch::empty_like(lease.input);
    const Tensor output_gradient = output_gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    OpenMpWorkers workers(std::min(at::get_num_threads(), lease.pass->shape().workers));
    lease.pass->Backward(lease.input.data_ptr<float>(), lease.pointers,
                         output_gradient.data_ptr<float>(), gradients,
                         wants_input ? results[0].data_ptr<float>() : nullptr, workers);
    return results;
  }
};

FusedRun::FusedRun(std::vector<FusedStage> stages)
    : stages_(std::move(stages)), passes_(std::make_shared<Passes>()) {}

FusedRun::~FusedRun() = default;

bool FusedRun::Accepts(const Tensor& input) const {
  const bool is_float = input.dim() == 4 && input.scalar_type() == torch::kFloat &&
                        input.device().is_cpu() && input.layout() == torch::kStrided;
  if (!is_float || input.size(0) < 1 || input.size(1) != stages_.front().stage.in) return false;
  if (!c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutocastCPU)) return false;
  if (stages_.front().stage.kind == StageKind::kPicture && input.requires_grad()) return false;
  const bool fit = std::all_of(stages_.begin(), stages_.end(), [](const FusedStage& stage) {
    return stage.norm.norm->is_training() && stage.weight.scalar_type() == torch::kFloat &&
           stage.weight.device().is_cpu();
  });
  return fit &&
         Extents(ShapesOf(stages_), {.height = input.size(2), .width = input.size(3)}).has_value();
}

Tensor FusedRun::Forward(const Tensor& input) {
  for (const FusedStage& stage : stages_) {
    Tensor tracked = stage.norm.num_batches_tracked;
    tracked.add_(1);
  }
  const std::vector<Tensor> parameters = ParametersOf(stages_);
  return Passes::Operator::apply(input, at::TensorList(parameters), &stages_, &passes_);
}

}  // namespace facegate
