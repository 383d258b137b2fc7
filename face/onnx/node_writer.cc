#include "face/onnx/node_writer.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "face/base/coding.h"
#include "face/onnx/graph_parts.h"
#include "face/onnx/onnx_state_dict.h"

namespace facegate {

Tensor WholeTensor(std::vector<int64_t> shape, const std::vector<int64_t>& numbers) {
  Tensor tensor{.dtype = DType::kI64, .shape = std::move(shape), .bytes = {}};
  for (const int64_t number : numbers) {
    AppendLittleEndian(tensor.bytes, static_cast<uint64_t>(number));
  }
  return tensor;
}

void NodeWriter::Emit(std::string op, const std::string& name, std::vector<std::string> inputs,
                      std::map<std::string, OnnxAttribute, std::less<>> attributes) {
  // The graph's own input and output have names that no layer takes from them.
  const bool taken = name == kOnnxInput || name == kOnnxOutput;
  value_ = taken ? name + "/value" : name;
  while (!emitted_.insert(value_).second) value_ += "'";
  model_.nodes.push_back({.op = std::move(op),
                          .name = value_,
                          .inputs = std::move(inputs),
                          .outputs = {value_},
                          .attributes = std::move(attributes)});
}

void NodeWriter::Multiply(const std::string& name, const std::string& weight,
                          const std::string& bias) {
  const std::string input = value_;
  Emit("Transpose", weight + "/turned", {weight}, {{"perm", std::vector<int64_t>{1, 0}}});
  Emit("MatMul", bias.empty() ? name : name + "/product", {input, value_});
  if (!bias.empty()) Emit("Add", name, {value_, bias});
}

void NodeWriter::Reshape(const std::string& name, const char* constant,
                         const std::vector<int64_t>& extents) {
  const auto rank = static_cast<int64_t>(extents.size());
  Emit("Reshape", name, {value_, Whole(constant, {rank}, extents)});
}

void NodeWriter::Transpose(const std::string& name, std::vector<int64_t> order) {
  Emit("Transpose", name, {value_}, {{"perm", std::move(order)}});
}

std::string NodeWriter::Whole(const char* name, std::vector<int64_t> shape,
                              const std::vector<int64_t>& numbers) {
  return Constant(OwnName(name), WholeTensor(std::move(shape), numbers));
}

std::string NodeWriter::Number(const char* name, double number) {
  const std::array<float, 1> numbers = {static_cast<float>(number)};
  return Constant(OwnName(name), FloatTensor({}, numbers));
}

std::string NodeWriter::Constant(const std::string& name, Tensor&& tensor) {
  model_.initializers.try_emplace(name, std::move(tensor));
  return name;
}

std::string NodeWriter::OwnName(const char* constant) const {
  return fmt::format("{}{}.{}", kGraphPrefix, name_, constant);
}

std::string NodeWriter::Weight(std::string_view tensor) {
  return Called(fmt::format("{}.{}", name_, tensor));
}

std::string NodeWriter::Called(std::string name) {
  if (model_.initializers.at(name).dtype == DType::kF32) return name;
  std::string whole = name + "/float";
  if (!emitted_.insert(whole).second) return whole;
  model_.nodes.push_back({.op = "Cast",
                          .name = whole,
                          .inputs = {std::move(name)},
                          .outputs = {whole},
                          .attributes = {{"to", kOnnxFloat}}});
  return whole;
}

}  // namespace facegate
