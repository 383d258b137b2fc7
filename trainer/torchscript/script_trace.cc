#include "trainer/torchscript/script_trace.h"

#include <fmt/format.h>

#include "face/base/coding.h"
#include "face/onnx/graph_parts.h"
#include "face/onnx/onnx_state_dict.h"
#include "face/torch/tensor_conversion.h"

namespace facegate::torch_script {
namespace {

constexpr char kInput[] = "facegate.picture";  // no parameter is called so

// What is in a tuple or a list; empty for anything else.
c10::ArrayRef<c10::IValue> ElementsOf(const c10::IValue& value) {
  if (value.isTuple()) return value.toTupleRef().elements().asArrayRef();
  if (value.isList()) return value.toListRef();
  return {};
}

}  // namespace

c10::IValue ScriptCall::Argument(const char* name) const {
  const auto place = schema.argumentIndexWithName(name);
  if (!place.has_value() || static_cast<size_t>(*place) >= inputs.size()) return {};
  return inputs[static_cast<size_t>(*place)];
}

ScriptTrace::ScriptTrace(const std::vector<NamedTensor>& named, size_t most_bytes)
    : bytes_left_(most_bytes) {
  for (const auto& [name, tensor] : named) {
    // A tensor of two names has the first.
    if (tensor.defined()) named_.try_emplace(tensor.unsafeGetTensorImpl(), name);
    Keep(tensor);
  }
}

void ScriptTrace::Begin(const at::Tensor& picture) {
  model_.opsets = {{"", 13}};
  model_.producer = "TorchScript";
  OnnxValue input{.name = kInput, .dtype = DType::kF32, .shape = std::vector<OnnxExtent>{"N"}};
  for (int64_t i = 1; i < picture.dim(); ++i) input.shape->emplace_back(picture.size(i));
  model_.inputs = {std::move(input)};
  values_[picture.unsafeGetTensorImpl()] = kInput;
  Keep(picture);
}

bool ScriptTrace::Follows(const c10::IValue& value) const {
  std::vector<const c10::IValue*> open = {&value};
  // A tuple may be in others many times.
  std::unordered_set<const c10::IValue*> seen;
  while (!open.empty()) {
    const c10::IValue& one = *open.back();
    open.pop_back();
    if (one.isTensor() && values_.contains(one.toTensor().unsafeGetTensorImpl())) return true;
    const c10::ArrayRef<c10::IValue> elements = ElementsOf(one);
    if (!seen.insert(elements.data()).second) continue;
    for (const c10::IValue& element : elements) open.push_back(&element);
  }
  return false;
}

void ScriptTrace::Keep(const at::Tensor& tensor) {
  kept_.push_back(tensor);
  if (!tensor.defined() || !tensor.has_storage()) return;
  const auto* const storage = tensor.storage().unsafeGetStorageImpl();
  on_storage_[storage].push_back(tensor.unsafeGetTensorImpl());
}

Status ScriptTrace::NoteChange(const at::Tensor& changed) {
  const auto* const own = changed.unsafeGetTensorImpl();
  if (!values_.contains(own)) return InvalidArgument("changes a constant, which is not read");
  if (!changed.has_storage()) return OkStatus();
  const auto there = on_storage_.find(changed.storage().unsafeGetStorageImpl());
  if (there == on_storage_.end()) return OkStatus();
  for (const auto* const address : there->second) {
    if (address == own) continue;
    if (!values_.contains(address)) return InvalidArgument("changes a constant, which is not read");
    changed_.insert(address);
  }
  return OkStatus();
}

void ScriptTrace::NoteTransposed(const at::Tensor& constant, const at::Tensor& of) {
  transposed_[constant.unsafeGetTensorImpl()] = of;
  Keep(constant);
}

at::Tensor ScriptTrace::TransposeOf(const at::Tensor& constant) const {
  const auto found = transposed_.find(constant.unsafeGetTensorImpl());
  return found == transposed_.end() ? at::Tensor() : found->second;
}

std::string ScriptTrace::NewName(const char* kind) {
  return fmt::format("{}{}{}", kGraphPrefix, kind, names_++);
}

Status ScriptTrace::Add(const std::string& name, Tensor tensor) {
  if (tensor.bytes.size() > bytes_left_) {
    return InvalidArgument("has more numbers than the file");
  }
  bytes_left_ -= tensor.bytes.size();
  model_.initializers.try_emplace(name, std::move(tensor));
  return OkStatus();
}

StatusOr<std::string> ScriptTrace::Name(const at::Tensor& tensor) {
  if (changed_.contains(tensor.unsafeGetTensorImpl())) {
    return InvalidArgument("takes what was changed through another view of it, which is not read");
  }
  const auto value = values_.find(tensor.unsafeGetTensorImpl());
  if (value != values_.end()) return value->second;
  return Constant(tensor, tensor.sizes().vec());
}

StatusOr<std::string> ScriptTrace::Constant(const at::Tensor& tensor, std::vector<int64_t> shape) {
  const auto [known, added] = named_.try_emplace(tensor.unsafeGetTensorImpl());
  if (added) {
    known->second = NewName("constant");
    Keep(tensor);
  }
  std::string name = known->second;
  if (const auto there = model_.initializers.find(name); there != model_.initializers.end()) {
    if (there->second.shape == shape) return name;
    name = fmt::format("{}{} of {}", kGraphPrefix, name, ShapeText(shape));
    if (model_.initializers.contains(name)) return name;
  }
  // An extent of a tensor may lie on one number.
  if (static_cast<size_t>(tensor.numel()) > bytes_left_ / tensor.element_size()) {
    return InvalidArgument("has more numbers than the file");
  }
  // Whole numbers are shapes in graphs.
  FACEGATE_ASSIGN_OR_RETURN(Tensor taken,
                            FromTorch(tensor.is_floating_point() ? tensor : tensor.to(at::kFloat)));
  taken.shape = std::move(shape);
  FACEGATE_RETURN_IF_ERROR(Add(name, std::move(taken)));
  return name;
}

StatusOr<std::string> ScriptTrace::Numbers(std::vector<int64_t> shape,
                                           const std::vector<float>& numbers) {
  std::string name = NewName("constant");
  FACEGATE_RETURN_IF_ERROR(Add(name, FloatTensor(std::move(shape), numbers)));
  return name;
}

std::string ScriptTrace::Whole(const std::vector<int64_t>& numbers) {
  std::string name = NewName("list");
  Tensor list{.dtype = DType::kI64, .shape = {static_cast<int64_t>(numbers.size())}, .bytes = {}};
  for (const int64_t number : numbers) {
    AppendLittleEndian(list.bytes, static_cast<uint64_t>(number));
  }
  model_.initializers.emplace(name, std::move(list));
  return name;
}

std::string ScriptTrace::Give(const char* op, std::vector<std::string> inputs,
                              Attributes attributes, const at::Tensor* output) {
  std::string name = NewName("value");
  model_.nodes.push_back({.op = op,
                          .name = name,
                          .inputs = std::move(inputs),
                          .outputs = {name},
                          .attributes = std::move(attributes)});
  if (output != nullptr) {
    values_[output->unsafeGetTensorImpl()] = name;
    Keep(*output);
  }
  return name;
}

StatusOr<OnnxModel> ScriptTrace::Finish(const at::Tensor& output) {
  if (!values_.contains(output.unsafeGetTensorImpl())) {
    return InvalidArgument("what forward() returns does not depend on the picture");
  }
  FACEGATE_ASSIGN_OR_RETURN(std::string name, Name(output));
  model_.outputs = {{.name = std::move(name)}};
  return std::move(model_);
}

}  // namespace facegate::torch_script
