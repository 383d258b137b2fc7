#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/coding.h"

// Checkpoints as TensorFlow writes them, in memory.
namespace facegate {

inline void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// A field of a message: a number, or bytes.
inline std::string NumberField(int number, uint64_t value) {
  std::string field;
  AppendVarint(field, static_cast<uint64_t>(number) << 3);
  AppendVarint(field, value);
  return field;
}
inline std::string BytesField(int number, std::string_view bytes) {
  std::string field;
  AppendVarint(field, static_cast<uint64_t>(number) << 3 | 2);
  AppendVarint(field, bytes.size());
  return field.append(bytes);
}

struct TensorFlowFiles {
  std::string index;
  std::string numbers;
};

class TensorFlowWriter {
 public:
  // `name`: what Keras called it; keys in their order.
  TensorFlowWriter& Add(const std::string& key, const std::string& name,
                        const std::vector<uint64_t>& shape, const std::vector<float>& values) {
    const std::string bytes(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(float));
    Entry(key, 1, shape, bytes);
    graph_ += BytesField(1, BytesField(2, BytesField(1, "VARIABLE_VALUE") + BytesField(2, name) +
                                              BytesField(3, key)));
    return *this;
  }
  // A tensor that lies on the numbers of the last one.
  TensorFlowWriter& AddOnTheSame(const std::string& key) {
    entries_.emplace_back(key, entries_.back().second);
    return *this;
  }
  TensorFlowFiles Files(bool with_names) {
    const std::string entries = Entries(with_names);
    return {Index(entries), numbers_};
  }
  // The index, but for its frame.
  std::string Entries(bool with_names) {
    std::string entries = Shared("", NumberField(1, 1));
    if (with_names) {
      // Its length, the length's sum, the text. The entry's sum is of the length in 4 bytes, too.
      std::string length;
      AppendVarint(length, graph_.size());
      std::string summed;
      AppendLittleEndian(summed, static_cast<uint32_t>(graph_.size()));
      AppendLittleEndian(summed, MaskedCrc(Crc32c(summed)));
      summed += graph_;
      Entry("_CHECKPOINTABLE_OBJECT_GRAPH", 7, {}, length + summed.substr(sizeof(uint32_t)),
            Crc32c(summed));
      std::rotate(entries_.begin(), entries_.end() - 1, entries_.end());  // keys are sorted
    }
    last_.clear();
    for (const auto& [key, message] : entries_) entries += Shared(key, message);
    last_.clear();
    return entries;
  }
  // A table with one block of entries, which it names so many times.
  static std::string Index(const std::string& entries, int times = 1) {
    constexpr size_t kHandles = 40;
    std::string index;
    const std::string block = Block(index, entries);
    const std::string meta = Block(index, "");
    TensorFlowWriter last;
    std::string blocks;
    for (int i = 0; i < times; ++i) blocks += last.Shared("zzz", block);
    std::string footer = meta + Block(index, blocks);
    footer.resize(kHandles);
    AppendLittleEndian(footer, uint64_t{0xdb4775248b80fb57ULL});
    return index + footer;
  }
  const std::string& numbers() const { return numbers_; }

 private:
  void Entry(const std::string& key, uint64_t type, const std::vector<uint64_t>& shape,
             const std::string& bytes) {
    Entry(key, type, shape, bytes, Crc32c(bytes));
  }
  void Entry(const std::string& key, uint64_t type, const std::vector<uint64_t>& shape,
             const std::string& bytes, uint32_t sum) {
    std::string extents;
    for (const uint64_t extent : shape) extents += BytesField(2, NumberField(1, extent));
    std::string message = NumberField(1, type) + BytesField(2, extents) +
                          NumberField(4, numbers_.size()) + NumberField(5, bytes.size());
    AppendVarint(message, 6 << 3 | 5);
    AppendLittleEndian(message, MaskedCrc(sum));
    entries_.emplace_back(key, message);
    numbers_ += bytes;
  }
  // An entry of a block, which has in common with the key before what they begin with.
  std::string Shared(const std::string& key, const std::string& value) {
    size_t same = 0;
    while (same < key.size() && same < last_.size() && key[same] == last_[same]) ++same;
    std::string entry;
    AppendVarint(entry, same);
    AppendVarint(entry, key.size() - same);
    AppendVarint(entry, value.size());
    last_ = key;
    return entry + key.substr(same) + value;
  }
  // Appends a block with one restart; gives its place.
  static std::string Block(std::string& file, std::string bytes) {
    AppendLittleEndian(bytes, uint32_t{0});
    AppendLittleEndian(bytes, uint32_t{1});
    std::string place;
    AppendVarint(place, file.size());
    AppendVarint(place, bytes.size());
    bytes.push_back('\0');
    file += bytes;
    AppendLittleEndian(file, MaskedCrc(Crc32c(bytes)));
    return place;
  }

  std::vector<std::pair<std::string, std::string>> entries_;
  std::string last_;
  std::string graph_;
  std::string numbers_;
};

}  // namespace facegate
