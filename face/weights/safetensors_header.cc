#include "face/weights/safetensors_header.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "face/weights/quote.h"

namespace facegate {
namespace {

// Builds the header from nlohmann-json's parse events. Each event returns whether to go on; after a
// false, error() says why.
class HeaderHandler {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  SafetensorsHeader TakeHeader() { return std::move(header_); }
  const std::string& error() const { return error_; }
  bool done() const { return place_ == Place::kAfter; }

  bool start_object(size_t /*unused*/);
  bool key(string_t& name);
  bool end_object();
  bool start_array(size_t /*unused*/);
  bool end_array();
  bool string(string_t& value);
  bool number_unsigned(number_unsigned_t value);
  bool number_integer(number_integer_t value) { return Fail(fmt::format("{} is negative", value)); }
  bool number_float(number_float_t /*unused*/, const string_t& text) {
    return Fail(fmt::format("{} is not a whole number of at most 64 bits", Quote(text)));
  }
  bool null() { return Fail("null is not allowed"); }
  bool boolean(bool /*unused*/) { return Fail("a truth value is not allowed"); }
  bool binary(binary_t& /*unused*/) { return Fail("binary is not allowed"); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*unused*/) {
    return Fail(fmt::format("no JSON from byte {} of the header on", position));
  }

 private:
  enum class Place {
    kBefore,    // of the header
    kTop,       // among the names
    kMetadata,  // after its key, before its object
    kMetadataEntries,
    kTensor,  // after a name, before its object
    kTensorFields,
    kDType,
    kShape,  // after the key, before the array
    kShapeItems,
    kOffsets,
    kOffsetItems,
    kAfter,
  };

  bool Fail(std::string_view what) {
    error_ = tensor_name_.empty() ? std::string(what)
                                  : fmt::format("tensor {}: {}", Quote(tensor_name_), what);
    return false;
  }
  bool StartTensor(const string_t& name);
  bool StartField(const string_t& name);
  bool FinishTensor();

  SafetensorsHeader header_;
  std::string error_;
  Place place_ = Place::kBefore;
  bool has_metadata_ = false;
  std::string metadata_key_;
  // The tensor being read.
  std::string tensor_name_;
  std::optional<DType> dtype_;
  std::optional<std::vector<int64_t>> shape_;
  std::optional<std::vector<uint64_t>> offsets_;
};

bool HeaderHandler::start_object(size_t /*unused*/) {
  switch (place_) {
    case Place::kBefore:
      place_ = Place::kTop;
      return true;
    case Place::kMetadata:
      place_ = Place::kMetadataEntries;
      return true;
    case Place::kTensor:
      place_ = Place::kTensorFields;
      return true;
    default:
      return Fail("an object stands where none belongs");
  }
}

bool HeaderHandler::key(string_t& name) {
  switch (place_) {
    case Place::kTop:
      return StartTensor(name);
    case Place::kMetadataEntries:
      metadata_key_ = name;
      return header_.metadata.contains(name)
                 ? Fail(fmt::format("metadata {} stands twice", Quote(name)))
                 : true;
    case Place::kTensorFields:
      return StartField(name);
    default:
      return Fail(fmt::format("key {} stands where none belongs", Quote(name)));
  }
}

bool HeaderHandler::StartTensor(const string_t& name) {
  if (name == "__metadata__") {
    if (has_metadata_) return Fail("__metadata__ stands twice");
    has_metadata_ = true;
    place_ = Place::kMetadata;
    return true;
  }
  if (name.empty()) return Fail("a tensor has an empty name");
  tensor_name_ = name;
  if (header_.entries.contains(name)) return Fail("stands twice");
  dtype_.reset();
  shape_.reset();
  offsets_.reset();
  place_ = Place::kTensor;
  return true;
}

bool HeaderHandler::StartField(const string_t& name) {
  if (name == "dtype" && !dtype_) {
    place_ = Place::kDType;
  } else if (name == "shape" && !shape_) {
    place_ = Place::kShape;
  } else if (name == "data_offsets" && !offsets_) {
    place_ = Place::kOffsets;
  } else {
    return Fail(fmt::format("key {} is unknown or stands twice", Quote(name)));
  }
  return true;
}

bool HeaderHandler::end_object() {
  switch (place_) {
    case Place::kTensorFields:
      return FinishTensor();
    case Place::kMetadataEntries:
      place_ = Place::kTop;
      return true;
    default:  // the parser pairs the braces, so this is the outermost one
      place_ = Place::kAfter;
      return true;
  }
}

bool HeaderHandler::FinishTensor() {
  if (!dtype_) return Fail("has no dtype");
  if (!shape_) return Fail("has no shape");
  if (!offsets_ || offsets_->size() != 2) return Fail("data_offsets must be two numbers");
  header_.entries.emplace(std::exchange(tensor_name_, {}),
                          SafetensorsEntry{.dtype = *dtype_,
                                           .shape = std::move(*shape_),
                                           .begin = offsets_->front(),
                                           .end = offsets_->back()});
  place_ = Place::kTop;
  return true;
}

bool HeaderHandler::start_array(size_t /*unused*/) {
  if (place_ == Place::kShape) {
    shape_.emplace();
    place_ = Place::kShapeItems;
    return true;
  }
  if (place_ == Place::kOffsets) {
    offsets_.emplace();
    place_ = Place::kOffsetItems;
    return true;
  }
  return Fail("an array stands where none belongs");
}

bool HeaderHandler::end_array() {
  place_ = Place::kTensorFields;
  return true;
}

bool HeaderHandler::string(string_t& value) {
  if (place_ == Place::kMetadataEntries) {
    header_.metadata.emplace(std::move(metadata_key_), std::move(value));
    return true;
  }
  if (place_ != Place::kDType) {
    return Fail(fmt::format("string {} stands where none belongs", Quote(value)));
  }
  dtype_ = DTypeFromName(value);
  place_ = Place::kTensorFields;
  return dtype_ ? true : Fail(fmt::format("dtype {} is unknown", Quote(value)));
}

bool HeaderHandler::number_unsigned(number_unsigned_t value) {
  if (place_ == Place::kShapeItems) {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Fail(fmt::format("extent {} is above 2^63 - 1", value));
    }
    shape_->push_back(static_cast<int64_t>(value));
    return shape_->size() <= kMaxDimensions
               ? true
               : Fail(fmt::format("has more than {} dimensions", kMaxDimensions));
  }
  if (place_ == Place::kOffsetItems) {
    offsets_->push_back(value);
    return offsets_->size() <= 2 ? true : Fail("data_offsets has more than two numbers");
  }
  return Fail(fmt::format("number {} stands where none belongs", value));
}

}  // namespace

StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json) {
  HeaderHandler handler;
  const bool parsed = nlohmann::json::sax_parse(json, &handler);
  if (!parsed || !handler.done()) {
    const std::string& why = handler.error();
    return InvalidArgument(
        fmt::format("safetensors header: {}", why.empty() ? "is not an object" : why));
  }
  return handler.TakeHeader();
}

}  // namespace facegate
