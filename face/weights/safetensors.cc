#include "face/weights/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/weights/quote.h"
#include "face/weights/safetensors_header.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kDataAlignment = 8;

std::string JsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The range must be exactly as long as the shape asks for.
Status CheckSize(std::string_view name, const SafetensorsEntry& entry) {
  const std::optional<int64_t> count = ElementCount(entry.shape);
  uint64_t bytes = 0;
  if (!count ||
      __builtin_mul_overflow(static_cast<uint64_t>(*count), SizeOf(entry.dtype), &bytes)) {
    return InvalidArgument(fmt::format("safetensors: tensor {} has a shape {} beyond 2^63 bytes",
                                       Quote(name), ShapeText(entry.shape)));
  }
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    return InvalidArgument(
        fmt::format("safetensors: tensor {} of type {} and shape {} needs {} bytes, its range is "
                    "{} to {}",
                    Quote(name), DTypeName(entry.dtype), ShapeText(entry.shape), bytes, entry.begin,
                    entry.end));
  }
  return OkStatus();
}

// The ranges, in their order, must cover 0 to `data_bytes` without hole or overlap.
Status CheckCover(const SafetensorsHeader& header, uint64_t data_bytes) {
  std::vector<std::pair<const std::string*, const SafetensorsEntry*>> order;
  order.reserve(header.entries.size());
  for (const auto& [name, entry] : header.entries) order.emplace_back(&name, &entry);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end);
  });
  uint64_t covered = 0;
  for (const auto& [name, entry] : order) {
    if (entry->begin != covered) {
      return InvalidArgument(fmt::format(
          "safetensors: tensor {} begins at byte {} of the data, {} "
          "byte {}",
          Quote(*name), entry->begin,
          entry->begin < covered ? "inside the one that ends at" : "leaving a hole from", covered));
    }
    covered = entry->end;
  }
  if (covered == data_bytes) return OkStatus();
  return InvalidArgument(fmt::format(
      "safetensors: the tensors need {} bytes of data, the file has {}", covered, data_bytes));
}

}  // namespace

bool LooksLikeSafetensors(std::string_view bytes) {
  const std::optional<uint64_t> length = TakeLittleEndian<uint64_t>(bytes);
  return length && *length <= kMaxHeaderBytes && *length <= bytes.size() && !bytes.empty() &&
         bytes.front() == '{';
}

StatusOr<Safetensors> ParseSafetensors(std::string_view bytes) {
  const size_t file_bytes = bytes.size();
  const std::optional<uint64_t> length = TakeLittleEndian<uint64_t>(bytes);
  if (!length) {
    return InvalidArgument(
        fmt::format("safetensors: {} bytes are too few for a header's length", file_bytes));
  }
  if (*length > kMaxHeaderBytes) {
    return InvalidArgument(
        fmt::format("safetensors: a header of {} bytes, limit is {}", *length, kMaxHeaderBytes));
  }
  if (*length > bytes.size()) {
    return InvalidArgument(fmt::format("safetensors: a header of {} bytes, {} are left in the file",
                                       *length, bytes.size()));
  }
  const std::string_view json = bytes.substr(0, *length);
  const std::string_view data = bytes.substr(*length);
  if (json.empty() || json.front() != '{') {
    return InvalidArgument("safetensors: the header does not begin with '{'");
  }
  FACEGATE_ASSIGN_OR_RETURN(SafetensorsHeader header, ParseSafetensorsHeader(json));
  for (const auto& [name, entry] : header.entries) {
    FACEGATE_RETURN_IF_ERROR(CheckSize(name, entry));
  }
  FACEGATE_RETURN_IF_ERROR(CheckCover(header, data.size()));

  Safetensors file{.tensors = {}, .metadata = std::move(header.metadata)};
  for (auto& [name, entry] : header.entries) {
    file.tensors.emplace_hint(
        file.tensors.end(), name,
        Tensor{.dtype = entry.dtype,
               .shape = std::move(entry.shape),
               .bytes = std::string(data.substr(entry.begin, entry.end - entry.begin))});
  }
  return file;
}

std::string SerializeSafetensors(const Safetensors& file) {
  std::vector<TensorMap::const_iterator> order;
  for (auto it = file.tensors.begin(); it != file.tensors.end(); ++it) order.push_back(it);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return SizeOf(a->second.dtype) > SizeOf(b->second.dtype);
  });

  std::string header = "{";
  if (!file.metadata.empty()) {
    header += R"("__metadata__":)";
    char separator = '{';
    for (const auto& [key, value] : file.metadata) {
      header += fmt::format("{}{}:{}", separator, JsonString(key), JsonString(value));
      separator = ',';
    }
    header += '}';
  }
  uint64_t offset = 0;
  for (const auto& it : order) {
    const auto& [name, tensor] = *it;
    const uint64_t end = offset + tensor.bytes.size();
    std::string shape = ShapeText(tensor.shape);
    std::erase(shape, ' ');
    header += fmt::format(R"({}{}:{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})",
                          header.size() > 1 ? "," : "", JsonString(name), DTypeName(tensor.dtype),
                          shape, offset, end);
    offset = end;
  }
  header += '}';
  header.resize((header.size() + kDataAlignment - 1) / kDataAlignment * kDataAlignment, ' ');

  std::string bytes;
  bytes.reserve(sizeof(uint64_t) + header.size() + offset);
  AppendLittleEndian(bytes, static_cast<uint64_t>(header.size()));
  bytes += header;
  for (const auto& it : order) bytes += it->second.bytes;
  return bytes;
}

}  // namespace facegate
