#include "face/detect/onnx_shape.h"

#include <array>
#include <optional>

namespace facegate {
namespace {

// Field numbers on the way from onnx.ModelProto to the shape of an input: graph, input (a
// ValueInfoProto), type, tensor_type, shape.
constexpr std::array<uint64_t, 5> kPathToShape = {7, 11, 2, 1, 2};
// TensorShapeProto.dim and its Dimension.dim_value.
constexpr uint64_t kDimField = 1;
constexpr uint64_t kDimValueField = 1;

// Wire types of protocol buffers.
constexpr uint64_t kVarint = 0;
constexpr uint64_t kFixed64 = 1;
constexpr uint64_t kLengthDelimited = 2;
constexpr uint64_t kFixed32 = 5;

std::optional<uint64_t> TakeVarint(std::string_view& in) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void AppendMessage(std::string& out, uint64_t field, std::string_view body) {
  AppendVarint(out, field << 3 | kLengthDelimited);
  AppendVarint(out, body.size());
  out.append(body);
}

struct Field {
  uint64_t number = 0;
  uint64_t wire_type = 0;
  std::string_view whole;  // tag, length and body
  std::string_view body;   // of a length-delimited field
};

bool Skip(std::string_view& in, uint64_t bytes) {
  if (bytes > in.size()) return false;
  in.remove_prefix(bytes);
  return true;
}

std::optional<Field> TakeField(std::string_view& in) {
  const std::string_view start = in;
  const auto tag = TakeVarint(in);
  if (!tag.has_value()) return std::nullopt;
  Field field{.number = *tag >> 3, .wire_type = *tag & 7, .whole = {}, .body = {}};
  switch (field.wire_type) {
    case kVarint:
      if (!TakeVarint(in).has_value()) return std::nullopt;
      break;
    case kLengthDelimited: {
      const auto length = TakeVarint(in);
      const std::string_view rest = in;
      if (!length.has_value() || !Skip(in, *length)) return std::nullopt;
      field.body = rest.substr(0, *length);
      break;
    }
    case kFixed64:
      if (!Skip(in, 8)) return std::nullopt;
      break;
    case kFixed32:
      if (!Skip(in, 4)) return std::nullopt;
      break;
    default:
      return std::nullopt;
  }
  field.whole = start.substr(0, start.size() - in.size());
  return field;
}

// Copies `message`, replacing what lies at `path` (the first field of each number) by `leaf`.
// nullopt when the message is broken or has no such path.
std::optional<std::string> Replace(std::string_view message, std::span<const uint64_t> path,
                                   const std::string& leaf) {
  if (path.empty()) return leaf;
  std::string out;
  bool replaced = false;
  while (!message.empty()) {
    const auto field = TakeField(message);
    if (!field.has_value()) return std::nullopt;
    if (replaced || field->number != path.front() || field->wire_type != kLengthDelimited) {
      out.append(field->whole);
      continue;
    }
    const auto inner = Replace(field->body, path.subspan(1), leaf);
    if (!inner.has_value()) return std::nullopt;
    AppendMessage(out, field->number, *inner);
    replaced = true;
  }
  if (!replaced) return std::nullopt;
  return out;
}

}  // namespace

StatusOr<std::string> WithInputShape(std::string_view model, std::span<const uint32_t> dimensions) {
  std::string shape;
  for (const uint32_t dimension : dimensions) {
    std::string value;
    AppendVarint(value, kDimValueField << 3 | kVarint);
    AppendVarint(value, dimension);
    AppendMessage(shape, kDimField, value);
  }
  auto changed = Replace(model, kPathToShape, shape);
  if (!changed.has_value()) {
    return InvalidArgument("the file is not an ONNX model, or its input has no shape");
  }
  return *std::move(changed);
}

}  // namespace facegate
