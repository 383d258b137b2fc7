#include "trainer/photos/tf_record.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <system_error>

#include "face/base/coding.h"
#include "trainer/photos/wire_reader.h"

namespace facegate {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kSumBytes = 4;
constexpr size_t kHeaderBytes = kLengthBytes + kSumBytes;

// The numbers of the fields of example.proto and feature.proto.
constexpr uint64_t kFeatures = 1;     // of Example
constexpr uint64_t kFeature = 1;      // of Features, and entry of its map
constexpr uint64_t kKey = 1;          // of the entry
constexpr uint64_t kValue = 2;        // of the entry
constexpr uint64_t kBytesList = 1;    // of Feature
constexpr uint64_t kInt64List = 3;    // of Feature
constexpr uint64_t kValueOfList = 1;  // of the lists

constexpr std::array<std::string_view, 3> kLabelNames = {"image/source_id", "image/class/label",
                                                         "label"};

Status Damaged(uint64_t offset, std::string_view what) {
  return DataLoss(fmt::format("the record at byte {} {}", offset, what));
}

// The length at the front, where its sum fits.
std::optional<uint64_t> LengthOf(std::string_view start) {
  const std::string_view length = start.substr(0, kLengthBytes);
  if (start.size() < kHeaderBytes) return std::nullopt;
  std::string_view sum = start.substr(kLengthBytes, kSumBytes);
  std::string_view number = length;
  if (TakeLittleEndian<uint32_t>(sum) != MaskedCrc(Crc32c(length))) return std::nullopt;
  return TakeLittleEndian<uint64_t>(number);
}

// A feature's first value.
struct FirstValue {
  std::optional<std::string_view> bytes;
  std::optional<uint64_t> number;
};

std::optional<FirstValue> ParseFeature(std::string_view message) {
  FirstValue value;
  WireReader fields(message);
  while (const auto list = fields.Next()) {
    if (!list->has_length) continue;
    WireReader values(list->bytes);
    const auto first = values.Next();
    if (!first.has_value() || first->number != kValueOfList) continue;
    if (list->number == kBytesList && first->has_length) value.bytes = first->bytes;
    if (list->number == kInt64List && !first->has_length) value.number = first->value;
    if (list->number == kInt64List && first->has_length) {
      std::string_view packed = first->bytes;
      value.number = TakeVarint(packed);
    }
  }
  if (fields.failed()) return std::nullopt;
  return value;
}

std::optional<int64_t> NumberOf(const FirstValue& value) {
  if (value.number.has_value()) return static_cast<int64_t>(*value.number);
  const std::string_view text = value.bytes.value_or("");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Collects the features of an example.
class ExampleReader {
 public:
  bool Take(std::string_view entry) {
    std::string_view name;
    std::string_view feature;
    WireReader fields(entry);
    while (const auto field = fields.Next()) {
      if (field->number == kKey) name = field->bytes;
      if (field->number == kValue) feature = field->bytes;
    }
    const std::optional<FirstValue> value = ParseFeature(feature);
    if (fields.failed() || !value.has_value()) return false;
    if (name == "image/encoded") example_.encoded = value->bytes.value_or("");
    if (name == "image/img_path") example_.path = value->bytes.value_or("");
    if (name == "image/filename") example_.filename = value->bytes.value_or("");
    for (size_t i = 0; i < kLabelNames.size(); ++i) {
      if (name == kLabelNames[i]) labels_[i] = NumberOf(*value);
    }
    return true;
  }

  TfExample Finish() {
    for (const std::optional<int64_t>& label : labels_) {
      if (!example_.label.has_value()) example_.label = label;
    }
    return example_;
  }

 private:
  TfExample example_;
  std::array<std::optional<int64_t>, kLabelNames.size()> labels_;
};

}  // namespace

StatusOr<TfRecordPlace> TfRecordAt(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < kHeaderBytes + kSumBytes) {
    return Damaged(offset, "is cut off");
  }
  const std::string_view record = bytes.substr(offset);
  const std::optional<uint64_t> length = LengthOf(record);
  if (!length.has_value()) return Damaged(offset, "has a length whose sum is wrong");
  if (*length > record.size() - kHeaderBytes - kSumBytes) return Damaged(offset, "is cut off");
  return TfRecordPlace{.data = record.substr(kHeaderBytes, *length),
                       .end = offset + kHeaderBytes + *length + kSumBytes};
}

Status CheckTfRecord(std::string_view bytes, const TfRecordPlace& record) {
  std::string_view sum = bytes.substr(record.end - kSumBytes, kSumBytes);
  if (TakeLittleEndian<uint32_t>(sum) == MaskedCrc(Crc32c(record.data))) return OkStatus();
  return Damaged(record.end - kSumBytes - record.data.size() - kHeaderBytes,
                 "is damaged: its sum is wrong");
}

bool LooksLikeTfRecord(std::string_view start) { return LengthOf(start).has_value(); }

std::optional<TfExample> ParseTfExample(std::string_view data) {
  ExampleReader example;
  WireReader fields(data);
  while (const auto features = fields.Next()) {
    if (features->number != kFeatures) continue;
    WireReader entries(features->bytes);
    while (const auto entry = entries.Next()) {
      if (entry->number == kFeature && !example.Take(entry->bytes)) return std::nullopt;
    }
    if (entries.failed()) return std::nullopt;
  }
  if (fields.failed()) return std::nullopt;
  return example.Finish();
}

}  // namespace facegate
