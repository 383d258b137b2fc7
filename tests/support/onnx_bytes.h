#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// ONNX files byte by byte (protobuf.dev, "Encoding"), without the generated code.
namespace facegate::wire {

inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

inline std::string Number(uint64_t field, uint64_t value) {
  return Varint(field << 3) + Varint(value);
}

// A message, a text, bytes or packed numbers.
inline std::string Bytes(uint64_t field, std::string_view content) {
  return Varint(field << 3 | 2) + Varint(content.size()) + std::string(content);
}

inline std::string Packed(uint64_t field, const std::vector<uint64_t>& values) {
  std::string content;
  for (const uint64_t value : values) content += Varint(value);
  return Bytes(field, content);
}

// `data` are the fields that hold the numbers.
inline std::string Tensor(std::string_view name, uint64_t type, const std::vector<uint64_t>& shape,
                          const std::string& data) {
  return Packed(1, shape) + Number(2, type) + data + Bytes(8, name);
}

inline std::string Entry(std::string_view key, std::string_view value) {
  return Bytes(1, key) + Bytes(2, value);
}

// A tensor of four bytes in another file.
inline std::string External(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string data;
  for (const auto& [key, value] : entries) data += Bytes(13, Entry(key, value));
  return Tensor("outside", 2, {4}, data + Number(14, 1));
}

inline std::string Node(std::string_view op, const std::vector<std::string>& inputs,
                        std::string_view output, const std::string& attributes = "") {
  std::string node;
  for (const std::string& input : inputs) node += Bytes(1, input);
  return node + Bytes(2, output) + Bytes(3, "node") + Bytes(4, op) + attributes;
}

// An attribute of a node; `type` is AttributeProto.type.
inline std::string Attribute(std::string_view name, uint64_t type, const std::string& value) {
  return Bytes(5, Bytes(1, name) + value + Number(20, type));
}

// An input or output of floats with these dimensions, each a message.
inline std::string Value(std::string_view name, const std::vector<std::string>& dimensions) {
  std::string shape;
  for (const std::string& dimension : dimensions) shape += Bytes(1, dimension);
  return Bytes(1, name) + Bytes(2, Bytes(1, Number(1, 1) + Bytes(2, shape)));
}

inline std::string Model(const std::string& graph, const std::string& more = "") {
  return Number(1, 8) + Bytes(2, "test") + Bytes(7, graph) +
         Bytes(8, Bytes(1, "") + Number(2, 13)) + more;
}

inline std::string Initializer(const std::string& tensor) { return Bytes(5, tensor); }

}  // namespace facegate::wire
