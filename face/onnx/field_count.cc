#include "face/onnx/field_count.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>

namespace facegate {
namespace {

// The messages of protos/onnx/model.proto that hold others, and those that hold none.
enum class Message {
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kValue,
  kType,
  kTensorType,
  kShape,
  kLeaf
};

struct Nested {
  Message outer;
  uint64_t field;
  Message inner;
};

constexpr std::array kNested = {
    Nested{Message::kModel, 7, Message::kGraph},
    Nested{Message::kModel, 8, Message::kLeaf},
    Nested{Message::kModel, 14, Message::kLeaf},
    Nested{Message::kGraph, 1, Message::kNode},
    Nested{Message::kGraph, 5, Message::kTensor},
    Nested{Message::kGraph, 11, Message::kValue},
    Nested{Message::kGraph, 12, Message::kValue},
    Nested{Message::kNode, 5, Message::kAttribute},
    Nested{Message::kAttribute, 5, Message::kTensor},
    Nested{Message::kTensor, 13, Message::kLeaf},
    Nested{Message::kValue, 2, Message::kType},
    Nested{Message::kType, 1, Message::kTensorType},
    Nested{Message::kTensorType, 2, Message::kShape},
    Nested{Message::kShape, 1, Message::kLeaf},
};

std::optional<Message> InnerOf(Message outer, uint64_t field) {
  for (const Nested& one : kNested) {
    if (one.outer == outer && one.field == field) return one.inner;
  }
  return std::nullopt;
}

// Walks over the wire format (protobuf.dev, "Encoding"). The messages above do not contain
// themselves, so the recursion ends.
class Counter {
 public:
  explicit Counter(std::string_view model) : model_(model) {}

  Status Count(Message message, std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t place = static_cast<size_t>(bytes.data() - model_.data());
      if (++fields_ > kMaxOnnxFields) {
        return InvalidArgument(
            fmt::format("ONNX: the messages have more than {} fields", kMaxOnnxFields));
      }
      const std::optional<uint64_t> tag = Varint(bytes);
      const std::optional<uint64_t> size = tag ? SizeOfField(*tag & 7, bytes) : std::nullopt;
      if (!size || *size > bytes.size() || *tag >> 3 == 0) {
        return InvalidArgument(fmt::format(
            "ONNX: the field at byte {} of {} does not fit: the file was cut short (download or "
            "copy it again), or it is no ONNX model",
            place, model_.size()));
      }
      const std::string_view content = bytes.substr(0, *size);
      bytes.remove_prefix(*size);
      const std::optional<Message> inner = InnerOf(message, *tag >> 3);
      if (inner && (*tag & 7) == kLengthDelimited) {
        FACEGATE_RETURN_IF_ERROR(Count(*inner, content));
      }
    }
    return OkStatus();
  }

 private:
  static constexpr uint64_t kLengthDelimited = 2;

  static std::optional<uint64_t> Varint(std::string_view& bytes) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  // How many bytes the content has that `bytes` begin with, once its length is taken from there.
  // The types 3 and 4, groups, are of a format that ONNX never used.
  static std::optional<uint64_t> SizeOfField(uint64_t type, std::string_view& bytes) {
    switch (type) {
      case 0: {
        std::string_view rest = bytes;
        if (!Varint(rest)) return std::nullopt;
        return bytes.size() - rest.size();
      }
      case 1:
        return 8;
      case kLengthDelimited:
        return Varint(bytes);
      case 5:
        return 4;
      default:
        return std::nullopt;
    }
  }

  const std::string_view model_;
  size_t fields_ = 0;
};

}  // namespace

Status CheckOnnxFields(std::string_view model) {
  return Counter(model).Count(Message::kModel, model);
}

}  // namespace facegate
