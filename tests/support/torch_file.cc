#include "tests/support/torch_file.h"

#include <zlib.h>

#include <bit>

#include "face/base/coding.h"

namespace facegate {
namespace {

template <typename T>
std::string Little(uint64_t value) {
  std::string bytes;
  AppendLittleEndian(bytes, static_cast<T>(value));
  return bytes;
}

constexpr uint32_t kFull = 0xffffffff;

// The sizes and the checksum in the order that headers and descriptors have them.
std::string SizesOf(const ZipEntry& entry, const ZipOptions& options, bool hidden) {
  const auto* const content = reinterpret_cast<const Bytef*>(entry.content.data());
  const uint64_t crc = options.checksums ? ::crc32_z(0, content, entry.content.size()) : 0;
  const uint64_t size = hidden ? kFull : entry.content.size();
  return Little<uint32_t>(crc) + Little<uint32_t>(size) + Little<uint32_t>(size);
}

std::string LocalEntry(const ZipEntry& entry, const ZipOptions& options) {
  std::string bytes = "PK\x03\x04" + Little<uint16_t>(45);
  bytes += Little<uint16_t>(options.flags | (options.descriptors ? 8 : 0));
  bytes += Little<uint16_t>(options.method) + Little<uint32_t>(0);
  bytes += options.descriptors ? std::string(12, '\0') : SizesOf(entry, options, false);
  bytes += Little<uint16_t>(entry.name.size()) + Little<uint16_t>(options.padding);
  bytes += entry.name + std::string(options.padding, 'Z') + entry.content;
  if (options.descriptors) bytes += "PK\x07\x08" + SizesOf(entry, options, false);
  return bytes;
}

std::string CentralEntry(const ZipEntry& entry, uint64_t offset, const ZipOptions& options) {
  std::string extra;
  if (options.zip64) {
    // An unknown field first: readers must step over it.
    extra = Little<uint16_t>(0x9999) + Little<uint16_t>(2) + "ab";
    extra += Little<uint16_t>(1) + Little<uint16_t>(24) + Little<uint64_t>(entry.content.size()) +
             Little<uint64_t>(entry.content.size()) + Little<uint64_t>(offset);
  }
  std::string bytes = "PK\x01\x02" + Little<uint16_t>(45) + Little<uint16_t>(45);
  bytes += Little<uint16_t>(options.flags | (options.descriptors ? 8 : 0));
  bytes += Little<uint16_t>(options.method) + Little<uint32_t>(0);
  bytes += SizesOf(entry, options, options.zip64);
  bytes += Little<uint16_t>(entry.name.size()) + Little<uint16_t>(extra.size());
  bytes += std::string(10, '\0');  // comment's length, volume, attributes
  bytes += Little<uint32_t>(options.zip64 ? kFull : offset);
  return bytes + entry.name + extra;
}

}  // namespace

PickleWriter& PickleWriter::Raw(std::string_view bytes) {
  bytes_ += bytes;
  return *this;
}

PickleWriter& PickleWriter::Proto(int protocol) {
  return Raw("\x80").Raw(std::string(1, static_cast<char>(protocol)));
}

PickleWriter& PickleWriter::Int(int64_t value) {
  if (value >= 0 && value < 256) return Raw("K").Raw(std::string(1, static_cast<char>(value)));
  return Raw("\x8a\x08").Raw(Little<uint64_t>(static_cast<uint64_t>(value)));
}

PickleWriter& PickleWriter::Float(double value) {
  Raw("G");
  AppendBigEndian(bytes_, std::bit_cast<uint64_t>(value));
  return *this;
}

PickleWriter& PickleWriter::Text(std::string_view text) {
  return Raw("X").Raw(Little<uint32_t>(text.size())).Raw(text);
}

PickleWriter& PickleWriter::Global(std::string_view module, std::string_view name) {
  return Raw("c").Raw(module).Raw("\n").Raw(name).Raw("\n");
}

PickleWriter& PickleWriter::Ints(const std::vector<int64_t>& values) {
  Mark();
  for (const int64_t value : values) Int(value);
  return Raw("t");
}

PickleWriter& PickleWriter::Put(int index) {
  return Raw("q").Raw(std::string(1, static_cast<char>(index)));
}

PickleWriter& PickleWriter::Get(int index) {
  return Raw("h").Raw(std::string(1, static_cast<char>(index)));
}

PickleWriter& PickleWriter::Storage(std::string_view type, std::string_view key, int64_t elements) {
  Mark().Text("storage").Global("torch", type).Text(key).Text("cpu").Int(elements);
  return Raw("tQ");
}

PickleWriter& PickleWriter::Tensor(std::string_view type, std::string_view key, int64_t elements,
                                   int64_t offset, const std::vector<int64_t>& shape,
                                   const std::vector<int64_t>& strides) {
  Global("torch._utils", "_rebuild_tensor_v2").Mark().Storage(type, key, elements).Int(offset);
  Ints(shape).Ints(strides).Bool(false);
  return Global("collections", "OrderedDict").Raw(")RtR");
}

std::string ZipArchive(const std::vector<ZipEntry>& entries, const ZipOptions& options) {
  std::string bytes;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    directory += CentralEntry(entry, bytes.size(), options);
    bytes += LocalEntry(entry, options);
  }
  const uint64_t offset = bytes.size();
  bytes += directory;
  if (options.zip64) {
    const uint64_t end64 = bytes.size();
    bytes += "PK\x06\x06" + Little<uint64_t>(44) + Little<uint32_t>(0) + Little<uint64_t>(0);
    bytes += Little<uint64_t>(entries.size()) + Little<uint64_t>(entries.size());
    bytes += Little<uint64_t>(directory.size()) + Little<uint64_t>(offset);
    bytes += "PK\x06\x07" + Little<uint32_t>(0) + Little<uint64_t>(end64) + Little<uint32_t>(1);
  }
  const uint64_t count = options.zip64 ? 0xffff : entries.size();
  bytes += "PK\x05\x06" + Little<uint32_t>(0) + Little<uint16_t>(count) + Little<uint16_t>(count);
  bytes += Little<uint32_t>(options.zip64 ? kFull : directory.size());
  bytes += Little<uint32_t>(options.zip64 ? kFull : offset) + Little<uint16_t>(0);
  return bytes;
}

std::string TorchZip(const std::string& pickle, const std::vector<StorageBytesOf>& storages,
                     const ZipOptions& options) {
  std::vector<ZipEntry> entries = {{"archive/data.pkl", pickle}, {"archive/byteorder", "little"}};
  for (const StorageBytesOf& storage : storages) {
    entries.push_back({"archive/data/" + storage.key, storage.bytes});
  }
  entries.push_back({"archive/version", "3\n"});
  return ZipArchive(entries, options);
}

std::string TorchCheckpoint(const TensorMap& tensors, std::string_view prefix) {
  PickleWriter writer;
  writer.Proto().Raw("}(").Text("epoch").Int(3).Text("state_dict");
  writer.Global("collections", "OrderedDict").Raw(")R(");
  std::vector<StorageBytesOf> storages;
  for (const auto& [name, tensor] : tensors) {
    std::vector<int64_t> strides(tensor.shape.size(), 1);
    for (size_t i = strides.size(); i > 1; --i)
      strides[i - 2] = strides[i - 1] * tensor.shape[i - 1];
    const std::string key = std::to_string(storages.size());
    const int64_t elements = tensor.element_count();
    const bool counter = tensor.dtype == DType::kI64;
    writer.Text(std::string(prefix) + name);
    writer.Tensor(counter ? "LongStorage" : "FloatStorage", key, elements, 0, tensor.shape,
                  strides);
    storages.push_back({key, static_cast<uint64_t>(elements), tensor.bytes});
  }
  return TorchZip(writer.Raw("uu").Stop().bytes(), storages);
}

std::string TorchLegacy(const std::string& pickle, const std::vector<StorageBytesOf>& storages,
                        bool little_endian) {
  PickleWriter file;
  file.Proto().Raw("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").Stop();
  file.Proto().Raw("M\xe9\x03").Stop();
  file.Proto().Raw("}").Mark().Text("protocol_version").Raw("M\xe9\x03");
  file.Text("little_endian").Bool(little_endian).Raw("u").Stop();
  file.Raw(pickle);
  file.Proto().Raw("]").Mark();
  for (const StorageBytesOf& storage : storages) file.Text(storage.key);
  file.Raw("e").Stop();
  for (const StorageBytesOf& storage : storages) {
    file.Raw(Little<uint64_t>(storage.elements)).Raw(storage.bytes);
  }
  return file.bytes();
}

std::string FloatBytes(std::initializer_list<float> values) {
  std::string bytes;
  for (const float value : values) AppendLittleEndian(bytes, std::bit_cast<uint32_t>(value));
  return bytes;
}

}  // namespace facegate
