#include "face/onnx/node_attributes.h"

#include <variant>

namespace facegate {
namespace {

// TensorProto.DataType.
enum OnnxType : int64_t {
  kFloat = 1,
  kInt32 = 6,
  kInt64 = 7,
  kFloat16 = 10,
  kDouble = 11,
  kBfloat16 = 16
};

template <typename T>
std::optional<T> AttributeOf(const OnnxNode& node, const char* name) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return std::nullopt;
  const auto* const value = std::get_if<T>(&found->second);
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

}  // namespace

std::optional<int64_t> IntegerOf(const OnnxNode& node, const char* name) {
  return AttributeOf<int64_t>(node, name);
}
std::optional<std::vector<int64_t>> IntegersOf(const OnnxNode& node, const char* name) {
  return AttributeOf<std::vector<int64_t>>(node, name);
}
std::optional<float> RealOf(const OnnxNode& node, const char* name) {
  return AttributeOf<float>(node, name);
}
std::optional<std::string> TextOf(const OnnxNode& node, const char* name) {
  return AttributeOf<std::string>(node, name);
}
std::optional<Tensor> TensorOf(const OnnxNode& node, const char* name) {
  return AttributeOf<Tensor>(node, name);
}

bool CastsToReal(const OnnxNode& node) {
  const int64_t type = IntegerOf(node, "to").value_or(0);
  return type == kFloat || type == kFloat16 || type == kDouble || type == kBfloat16;
}
bool CastsToWhole(const OnnxNode& node) {
  const int64_t type = IntegerOf(node, "to").value_or(0);
  return type == kInt32 || type == kInt64;
}

}  // namespace facegate
