#include "trainer/keras/tensorflow_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/weights/quote.h"
#include "trainer/photos/wire_reader.h"

namespace facegate {
namespace {

constexpr uint64_t kTableMagic = 0xdb4775248b80fb57ULL;
constexpr size_t kFooterBytes = 48;
constexpr size_t kBlockTailBytes = 5;  // the kind of compression, and a sum
constexpr size_t kMaxIndexBytes = 64U << 20;
constexpr size_t kMaxTensors = 20'000;
constexpr size_t kMaxKeyBytes = 4096;
constexpr size_t kMaxExtents = 8;
constexpr size_t kMaxShards = 1000;
constexpr std::string_view kIndexEnd = ".index";
constexpr std::string_view kObjectGraph = "_CHECKPOINTABLE_OBJECT_GRAPH";
constexpr std::string_view kSlot = "/.OPTIMIZER_SLOT/";
constexpr std::string_view kOptimizer = "optimizer/";  // its own variables
constexpr std::string_view kVariableEnd = "/.ATTRIBUTES/VARIABLE_VALUE";
// tensorflow/core/framework/types.proto
constexpr uint64_t kFloat = 1;
constexpr uint64_t kString = 7;

Status Wrong(std::string_view what) {
  return InvalidArgument(fmt::format("TensorFlow's checkpoint: {}", what));
}

Status Damaged(std::string_view what) {
  return DataLoss(fmt::format("TensorFlow's checkpoint: {}", what));
}

// Where a block of the table begins, and its bytes without their tail.
struct Block {
  uint64_t offset = 0;
  uint64_t size = 0;
};

std::optional<Block> TakeBlock(std::string_view& bytes) {
  const std::optional<uint64_t> offset = TakeVarint(bytes);
  const std::optional<uint64_t> size = TakeVarint(bytes);
  if (!offset.has_value() || !size.has_value()) return std::nullopt;
  return Block{*offset, *size};
}

StatusOr<std::string_view> BytesOf(std::string_view table, const Block& block) {
  if (block.offset > table.size() || table.size() - block.offset < kBlockTailBytes ||
      block.size > table.size() - block.offset - kBlockTailBytes) {
    return Damaged("a block lies outside the index");
  }
  const std::string_view with_kind = table.substr(block.offset, block.size + 1);
  std::string_view tail = table.substr(block.offset + block.size + 1, sizeof(uint32_t));
  if (*TakeLittleEndian<uint32_t>(tail) != MaskedCrc(Crc32c(with_kind))) {
    return Damaged("the sum of a block differs");
  }
  if (with_kind.back() != '\0') return Wrong("a block of the index is compressed");
  return with_kind.substr(0, block.size);
}

using Entries = std::vector<std::pair<std::string, std::string_view>>;

// The keys of a block share their beginnings with the key before.
Status AppendEntries(std::string_view block, Entries& entries) {
  if (block.size() < sizeof(uint32_t)) return Damaged("a block is too short");
  std::string_view tail = block.substr(block.size() - sizeof(uint32_t));
  const uint64_t restarts = *TakeLittleEndian<uint32_t>(tail);
  if (restarts > block.size() / sizeof(uint32_t) - 1) return Damaged("a block is too short");
  block.remove_suffix((restarts + 1) * sizeof(uint32_t));
  std::string key;
  while (!block.empty()) {
    const std::optional<uint64_t> shared = TakeVarint(block);
    const std::optional<uint64_t> rest = TakeVarint(block);
    const std::optional<uint64_t> value = TakeVarint(block);
    if (!shared.has_value() || !rest.has_value() || !value.has_value() || *shared > key.size() ||
        *rest > block.size() || *value > block.size() - *rest) {
      return Damaged("an entry of the index is cut off");
    }
    if (*shared + *rest > kMaxKeyBytes || entries.size() > kMaxTensors) {
      return Wrong("it has more tensors, or longer names, than any network");
    }
    key.resize(*shared);
    key.append(block.substr(0, *rest));
    entries.emplace_back(key, block.substr(*rest, *value));
    block.remove_prefix(*rest + *value);
  }
  return OkStatus();
}

StatusOr<Entries> EntriesOf(std::string_view table) {
  if (!LooksLikeTensorFlowIndex(table)) return Wrong("it has no table");
  if (table.size() > kMaxIndexBytes) {
    return Wrong(
        fmt::format("its index has {} bytes, limit is {} MiB", table.size(), kMaxIndexBytes >> 20));
  }
  std::string_view footer = table.substr(table.size() - kFooterBytes);
  const std::optional<Block> meta = TakeBlock(footer);
  const std::optional<Block> index = TakeBlock(footer);
  if (!meta.has_value() || !index.has_value()) return Damaged("the end of the index is damaged");
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view places, BytesOf(table, *index));
  Entries blocks;
  FACEGATE_RETURN_IF_ERROR(AppendEntries(places, blocks));
  Entries entries;
  uint64_t end = 0;  // of the block before
  for (auto& [last_key, place] : blocks) {
    const std::optional<Block> block = TakeBlock(place);
    if (!block.has_value()) return Damaged("the place of a block is cut off");
    if (block->offset < end) return Damaged("blocks of the index lie one on the other");
    end = block->offset + block->size + kBlockTailBytes;
    FACEGATE_ASSIGN_OR_RETURN(const std::string_view bytes, BytesOf(table, *block));
    FACEGATE_RETURN_IF_ERROR(AppendEntries(bytes, entries));
  }
  if (entries.empty() || !entries.front().first.empty()) return Wrong("it has no header");
  return entries;
}

// A message BundleEntryProto.
struct Place {
  uint64_t type = 0;
  std::vector<int64_t> shape;
  uint64_t shard = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t sum = 0;
  bool sliced = false;
};

// A message TensorShapeProto; nothing where an extent is not known.
std::optional<std::vector<int64_t>> ShapeOf(std::string_view message) {
  std::vector<int64_t> shape;
  WireReader fields(message);
  while (const auto field = fields.Next()) {
    if (field->number == 3 && field->value != 0) return std::nullopt;
    if (field->number != 2) continue;
    int64_t extent = 0;
    WireReader dimension(field->bytes);
    while (const auto part = dimension.Next()) {
      if (part->number == 1) extent = static_cast<int64_t>(part->value);
    }
    shape.push_back(extent);
    if (extent < 0 || shape.size() > kMaxExtents || dimension.failed()) return std::nullopt;
  }
  return fields.failed() ? std::nullopt : std::optional(std::move(shape));
}

StatusOr<Place> PlaceOf(const std::string& key, std::string_view message) {
  Place place;
  WireReader fields(message);
  while (const auto field = fields.Next()) {
    switch (field->number) {
      case 1:
        place.type = field->value;
        break;
      case 2: {
        std::optional<std::vector<int64_t>> shape = ShapeOf(field->bytes);
        if (!shape.has_value()) return Wrong(fmt::format("{} has no shape", Quote(key)));
        place.shape = *std::move(shape);
        break;
      }
      case 3:
        place.shard = field->value;
        break;
      case 4:
        place.offset = field->value;
        break;
      case 5:
        place.size = field->value;
        break;
      case 6:
        place.sum = static_cast<uint32_t>(field->value);
        break;
      default:
        place.sliced = place.sliced || field->number == 7;
        break;
    }
  }
  if (fields.failed()) return Damaged(fmt::format("the entry of {} is damaged", Quote(key)));
  return place;
}

StatusOr<std::string_view> NumbersOf(const std::string& key, const Place& place,
                                     std::span<const std::string> shards) {
  if (place.shard >= shards.size() || place.offset > shards[place.shard].size() ||
      place.size > shards[place.shard].size() - place.offset) {
    return Damaged(fmt::format("the numbers of {} lie outside their file", Quote(key)));
  }
  return std::string_view(shards[place.shard]).substr(place.offset, place.size);
}

StatusOr<Tensor> TensorOf(const std::string& key, const Place& place,
                          std::span<const std::string> shards) {
  if (place.sliced) return Wrong(fmt::format("{} is stored in slices", Quote(key)));
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view numbers, NumbersOf(key, place, shards));
  const std::optional<int64_t> count = ElementCount(place.shape);
  if (!count.has_value() || static_cast<uint64_t>(*count) != numbers.size() / sizeof(float) ||
      numbers.size() % sizeof(float) != 0) {
    return Damaged(fmt::format("{} has {} bytes for the shape {}", Quote(key), numbers.size(),
                               ShapeText(place.shape)));
  }
  if (MaskedCrc(Crc32c(numbers)) != place.sum) {
    return Damaged(fmt::format("the sum of {} differs", Quote(key)));
  }
  return Tensor{.dtype = DType::kF32, .shape = place.shape, .bytes = std::string(numbers)};
}

using Places = std::map<std::string, Place, std::less<>>;

// Each byte is of one tensor alone.
Status CheckApart(const Places& places) {
  std::vector<std::pair<const Place*, const std::string*>> in_order;
  for (const auto& [key, place] : places) {
    if (place.size > 0) in_order.emplace_back(&place, &key);
  }
  std::stable_sort(in_order.begin(), in_order.end(), [](const auto& one, const auto& other) {
    return std::pair(one.first->shard, one.first->offset) <
           std::pair(other.first->shard, other.first->offset);
  });
  for (size_t i = 1; i < in_order.size(); ++i) {
    const Place& before = *in_order[i - 1].first;
    const Place& place = *in_order[i].first;
    if (place.shard == before.shard && place.offset - before.offset < before.size) {
      return Damaged(fmt::format("the numbers of {} are those of {}, too",
                                 Quote(*in_order[i].second), Quote(*in_order[i - 1].second)));
    }
  }
  return OkStatus();
}

// By the keys of a checkpoint, the names that its variables had.
using Names = std::map<std::string, std::string, std::less<>>;

// A message of TrackableObjectGraph.TrackableObject. Names of keys that there are not are left out.
void AddNames(std::string_view object, const Places& places, Names& names) {
  WireReader fields(object);
  while (const auto field = fields.Next()) {
    if (field->number != 2) continue;
    std::string_view name;
    std::string_view key;
    WireReader attribute(field->bytes);
    while (const auto part = attribute.Next()) {
      if (part->number == 2) name = part->bytes;
      if (part->number == 3) key = part->bytes;
    }
    if (!name.empty() && name.size() <= kMaxKeyBytes && places.contains(key)) {
      names.emplace(key, name);
    }
  }
}

// The one element of a tensor of texts: its length, the length's sum, the text. Sums are of the
// length in 4 bytes (8 where it needs them), and of that, its sum and the text.
std::optional<std::string_view> TextOf(const Place& place, std::string_view bytes) {
  const std::optional<uint64_t> length = TakeVarint(bytes);
  if (place.type != kString || !length.has_value() || bytes.size() < sizeof(uint32_t) ||
      *length != bytes.size() - sizeof(uint32_t)) {
    return std::nullopt;
  }
  std::string extent;
  if (*length <= std::numeric_limits<uint32_t>::max()) {
    AppendLittleEndian(extent, static_cast<uint32_t>(*length));
  } else {
    AppendLittleEndian(extent, *length);
  }
  const uint32_t of_length = Crc32c(extent);
  const bool whole = MaskedCrc(Crc32c(bytes, of_length)) == place.sum;
  if (*TakeLittleEndian<uint32_t>(bytes) != MaskedCrc(of_length) || !whole) return std::nullopt;
  return bytes;
}

StatusOr<Names> NamesOf(const Places& places, std::span<const std::string> shards) {
  const auto place = places.find(kObjectGraph);
  if (place == places.end()) return Names();
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view bytes,
                            NumbersOf(place->first, place->second, shards));
  const std::optional<std::string_view> text = TextOf(place->second, bytes);
  if (!text.has_value()) return Damaged("the names of its variables are damaged");
  Names names;
  WireReader graph(*text);
  while (const auto field = graph.Next()) {
    if (field->number == 1) AddNames(field->bytes, places, names);
  }
  if (graph.failed()) return Damaged("the names of its variables are damaged");
  return names;
}

bool IsOfOptimizer(const std::string& key) {
  return key.starts_with(kOptimizer) || key.find(kSlot) != std::string::npos;
}

StatusOr<size_t> ShardsOf(std::string_view header) {
  uint64_t shards = 0;
  WireReader fields(header);
  while (const auto field = fields.Next()) {
    if (field->number == 1) shards = field->value;
    if (field->number == 2 && field->value != 0) return Wrong("its numbers are big-endian");
  }
  if (shards < 1 || shards > kMaxShards) {
    return Wrong(fmt::format("it says that it has {} files of numbers", shards));
  }
  return static_cast<size_t>(shards);
}

}  // namespace

bool LooksLikeTensorFlowIndex(std::string_view bytes) {
  if (bytes.size() < kFooterBytes) return false;
  std::string_view magic = bytes.substr(bytes.size() - sizeof(uint64_t));
  return TakeLittleEndian<uint64_t>(magic) == kTableMagic;
}

std::string TensorFlowIndexOf(const std::string& path) {
  std::error_code error;
  const std::string index = path + std::string(kIndexEnd);
  const bool prefix =
      !std::filesystem::exists(path, error) && std::filesystem::is_regular_file(index, error);
  return prefix ? index : path;
}

StatusOr<size_t> TensorFlowShards(std::string_view index) {
  FACEGATE_ASSIGN_OR_RETURN(const Entries entries, EntriesOf(index));
  return ShardsOf(entries.front().second);
}

std::string TensorFlowShardPath(std::string_view index_path, size_t shard, size_t shards) {
  if (index_path.ends_with(kIndexEnd)) index_path.remove_suffix(kIndexEnd.size());
  return fmt::format("{}.data-{:05}-of-{:05}", index_path, shard, shards);
}

StatusOr<TensorMap> ParseTensorFlowCheckpoint(std::string_view index,
                                              std::span<const std::string> shards) {
  FACEGATE_ASSIGN_OR_RETURN(const Entries entries, EntriesOf(index));
  FACEGATE_RETURN_IF_ERROR(ShardsOf(entries.front().second).status());
  Places places;
  for (size_t i = 1; i < entries.size(); ++i) {
    const auto& [key, message] = entries[i];
    FACEGATE_ASSIGN_OR_RETURN(Place place, PlaceOf(key, message));
    places.insert_or_assign(key, std::move(place));
  }
  FACEGATE_RETURN_IF_ERROR(CheckApart(places));
  FACEGATE_ASSIGN_OR_RETURN(const Names names, NamesOf(places, shards));
  TensorMap tensors;
  for (const auto& [key, place] : places) {
    if (place.type != kFloat || IsOfOptimizer(key)) continue;
    const auto found = names.find(key);
    std::string name = found == names.end() ? key : found->second;
    if (name.ends_with(kVariableEnd)) name.resize(name.size() - kVariableEnd.size());
    FACEGATE_ASSIGN_OR_RETURN(Tensor tensor, TensorOf(key, place, shards));
    if (!tensors.emplace(name, std::move(tensor)).second) {
      return Wrong(fmt::format("two tensors are called {}", Quote(name)));
    }
  }
  return tensors;
}

}  // namespace facegate
