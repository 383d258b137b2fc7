#include "trainer/learn/class_head.h"

#include <fmt/format.h>
#include <torch/nn/functional/normalization.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "face/base/check.h"
#include "face/base/random.h"
#include "trainer/parallel/shared_operators.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr double kInitialDeviation = 0.01;
constexpr uint64_t kWeightStream = 1;
constexpr uint64_t kSampleStream = 2;

Tensor UnitRows(const Tensor& rows) {
  return torch::nn::functional::normalize(
      rows, torch::nn::functional::NormalizeFuncOptions().dim(1).eps(1e-12));
}

Status CheckOptions(const ClassHeadOptions& options) {
  if (options.classes < 2) {
    return InvalidArgument(
        fmt::format("there are {} classes, at least 2 are needed", options.classes));
  }
  if (options.embedding_size < 1) return InvalidArgument("the embedding size must be above 0");
  FACEGATE_RETURN_IF_ERROR(
      CheckRange("sub_centers", static_cast<double>(options.sub_centers), HeadRange::kSubCenters));
  FACEGATE_RETURN_IF_ERROR(CheckRange("sample_rate", options.sample_rate, HeadRange::kSampleRate));
  FACEGATE_RETURN_IF_ERROR(
      CheckRange("interclass_filter", options.interclass_filter, HeadRange::kInterclassFilter));
  if (options.linear && (options.sub_centers > 1 || options.sample_rate < 1.0)) {
    return InvalidArgument("a linear head has neither sub-centres nor sampling");
  }
  return OkStatus();
}

ClassHead::Range OwnClasses(int64_t classes, const ProcessGroup* group) {
  if (group == nullptr) return {.begin = 0, .end = classes};
  const auto begin = [&](int64_t rank) { return classes * rank / group->size(); };
  return {.begin = begin(group->rank()), .end = begin(group->rank() + 1)};
}

}  // namespace

StatusOr<std::shared_ptr<ClassHead>> ClassHead::Create(const ClassHeadOptions& options,
                                                       std::shared_ptr<ProcessGroup> group) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  if (group != nullptr && options.classes < group->size()) {
    return InvalidArgument(fmt::format("{} classes cannot be split over {} processes",
                                       options.classes, group->size()));
  }
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<MarginRule> rule, MakeMarginRule(options.margin));
  return std::shared_ptr<ClassHead>(new ClassHead(options, std::move(rule), std::move(group)));
}

ClassHead::ClassHead(const ClassHeadOptions& options, std::unique_ptr<MarginRule> rule,
                     std::shared_ptr<ProcessGroup> group)
    : torch::nn::Module("ClassHead"),
      options_(options),
      rule_(std::move(rule)),
      group_(std::move(group)),
      own_(OwnClasses(options_.classes, group_.get())) {
  const int64_t row = options_.sub_centers * options_.embedding_size;
  Tensor weight = torch::empty({own_.size() * options_.sub_centers, options_.embedding_size});
  RandomStream random(options_.seed, kWeightStream);
  // Numbers of other processes are drawn as well: the whole head is the same however it is split.
  for (int64_t i = 0; i < own_.begin * row; ++i) random.Normal();
  auto* const values = weight.data_ptr<float>();
  for (int64_t i = 0; i < weight.numel(); ++i) {
    values[i] = static_cast<float>(kInitialDeviation * random.Normal());
  }
  weight_ = register_parameter("weight", weight);
  if (options_.linear) bias_ = register_parameter("bias", torch::zeros({own_.size()}));
}

void ClassHead::MoveTo(const torch::Device& device) {
  to(device);
  if (rule_->computes_on_host()) return;
  for (MarginRule::Buffer& buffer : rule_->buffers()) {
    buffer.value.set_data(buffer.value.to(device));
  }
}

Tensor ClassHead::SampleClasses(const Tensor& labels, int64_t step) const {
  const auto wanted = std::max<int64_t>(
      1, static_cast<int64_t>(options_.sample_rate * static_cast<double>(options_.classes)));
  const Tensor host = labels.cpu();
  const auto* const first = host.data_ptr<int64_t>();
  std::vector<bool> chosen(static_cast<size_t>(options_.classes), false);
  int64_t count = 0;
  const auto choose = [&](int64_t label) {
    if (chosen[static_cast<size_t>(label)]) return;
    chosen[static_cast<size_t>(label)] = true;
    ++count;
  };
  std::for_each(first, first + host.numel(), choose);
  RandomStream random(options_.seed, kSampleStream, static_cast<uint64_t>(step));
  while (count < wanted) {
    choose(static_cast<int64_t>(random.Below(static_cast<uint64_t>(options_.classes))));
  }
  std::vector<int64_t> classes;
  classes.reserve(static_cast<size_t>(count));
  for (int64_t label = 0; label < options_.classes; ++label) {
    if (chosen[static_cast<size_t>(label)]) classes.push_back(label);
  }
  return torch::tensor(classes, torch::kInt64).to(labels.device());
}

Tensor ClassHead::Cosines(const Tensor& unit, const Tensor& classes) const {
  const int64_t centers = options_.sub_centers;
  Tensor weight = weight_;
  if (classes.defined()) {
    weight = weight_.view({own_.size(), -1}).index_select(0, classes);
    weight = weight.view({-1, options_.embedding_size});
  }
  // Centres of one class lie together.
  Tensor cosines = unit.matmul(UnitRows(weight).t());
  if (centers > 1) cosines = std::get<0>(cosines.view({unit.size(0), -1, centers}).max(2));
  return torch::clamp(cosines, -1.0, 1.0);
}

Tensor ClassHead::Linear(const Tensor& rows) const {
  return torch::addmm(bias_, rows, weight_.t());
}

Tensor ClassHead::Filtered(const Tensor& cosines, const Tensor& is_right) const {
  const Tensor doubtful = (cosines.detach() > options_.interclass_filter) & ~is_right;
  return cosines.masked_fill(doubtful, 0.0);
}

void ClassHead::ApplyMargin(const Tensor& cosines, const Tensor& rows, double strength,
                            HeadOutput& output) {
  output.cosines = cosines.detach();
  MarginResult result = rule_->Apply(
      {.cosines = cosines, .norms = rows.norm(2, 1), .labels = output.labels}, strength);
  output.logits = std::move(result.logits);
  output.added_loss = std::move(result.added_loss);
}

HeadOutput ClassHead::ForwardSplit(const Tensor& rows, const Tensor& labels, int64_t step,
                                   double strength) {
  HeadOutput output;
  Tensor own = torch::arange(own_.begin, own_.end, labels.options());
  Tensor chosen;
  if (options_.sample_rate < 1.0) {
    output.classes = SampleClasses(labels, step);
    const Tensor is_own = (output.classes >= own_.begin) & (output.classes < own_.end);
    own = output.classes.masked_select(is_own);
    chosen = own - own_.begin;
  }
  Tensor cosines = options_.linear ? Linear(rows) : Cosines(UnitRows(rows), chosen);
  output.elsewhere = labels.unsqueeze(1) == own.unsqueeze(0);
  if (options_.interclass_filter > 0.0) cosines = Filtered(cosines, output.elsewhere);
  // One process has the right class of a row; all apply the margin to it, as if each had all rows.
  const Tensor none = torch::zeros({}, cosines.options());
  const Tensor right = SumOfAll(torch::where(output.elsewhere, cosines, none).sum(1), *group_);
  cosines = torch::cat({cosines, right.unsqueeze(1)}, 1);
  output.labels = torch::full_like(labels, own.numel());
  if (!options_.linear) {
    ApplyMargin(cosines, rows, strength, output);
    return output;
  }
  output.logits = cosines;
  output.cosines = cosines.detach();
  return output;
}

HeadOutput ClassHead::Forward(const Tensor& embeddings, const Tensor& labels, int64_t step,
                              double strength) {
  // Angles need more digits than BF16 has.
  const Tensor rows =
      embeddings.scalar_type() == torch::kDouble ? embeddings : embeddings.to(torch::kFloat);
  if (group_ != nullptr) return ForwardSplit(rows, labels, step, strength);
  HeadOutput output;
  output.labels = labels;
  if (options_.linear) {
    output.logits = Linear(rows);
    output.cosines = output.logits.detach();
    return output;
  }
  if (options_.sample_rate < 1.0) {
    output.classes = SampleClasses(labels, step);
    output.labels = torch::searchsorted(output.classes, labels);
  }
  Tensor cosines = Cosines(UnitRows(rows), output.classes);
  if (options_.interclass_filter > 0.0) {
    const Tensor none = torch::zeros_like(cosines, torch::kBool);
    cosines = Filtered(cosines, none.scatter(1, output.labels.unsqueeze(1), true));
  }
  ApplyMargin(cosines, rows, strength, output);
  return output;
}

HeadOutput ClassHead::Compare(const Tensor& embeddings, const Tensor& labels, double strength) {
  FACEGATE_CHECK(group_ == nullptr);
  const Tensor rows = embeddings.to(torch::kFloat);
  HeadOutput output;
  output.labels = labels;
  if (options_.linear) {
    output.logits = Linear(rows);
    output.cosines = output.logits;
    return output;
  }
  ApplyMargin(Cosines(UnitRows(rows), {}), rows, strength, output);
  return output;
}

}  // namespace facegate
