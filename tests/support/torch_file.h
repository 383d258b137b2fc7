#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/weights/weights.h"

namespace facegate {

// Writes pickles as Python's pickler would (protocol 2 unless told otherwise), and wrong ones.
class PickleWriter {
 public:
  PickleWriter& Raw(std::string_view bytes);
  PickleWriter& Proto(int protocol = 2);
  PickleWriter& Stop() { return Raw("."); }
  PickleWriter& Mark() { return Raw("("); }
  PickleWriter& None() { return Raw("N"); }
  PickleWriter& Bool(bool value) { return Raw(value ? "\x88" : "\x89"); }
  PickleWriter& Int(int64_t value);
  PickleWriter& Float(double value);
  PickleWriter& Text(std::string_view text);
  PickleWriter& Global(std::string_view module, std::string_view name);
  PickleWriter& Ints(const std::vector<int64_t>& values);  // a tuple
  PickleWriter& Put(int index);
  PickleWriter& Get(int index);

  // A persistent id of `elements` elements, such as Storage("FloatStorage", "0", 6).
  PickleWriter& Storage(std::string_view type, std::string_view key, int64_t elements);
  // A call of torch._utils._rebuild_tensor_v2.
  PickleWriter& Tensor(std::string_view type, std::string_view key, int64_t elements,
                       int64_t offset, const std::vector<int64_t>& shape,
                       const std::vector<int64_t>& strides);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

struct ZipEntry {
  std::string name;
  std::string content;
};

struct ZipOptions {
  bool zip64 = false;        // sizes and offsets in zip64 records alone
  bool descriptors = false;  // sizes and checksum after the content
  bool checksums = true;
  uint16_t method = 0;
  uint16_t flags = 0;
  size_t padding = 0;  // extra field of each local header, as torch.save aligns
};

std::string ZipArchive(const std::vector<ZipEntry>& entries, const ZipOptions& options = {});

struct StorageBytesOf {
  std::string key;
  uint64_t elements = 0;
  std::string bytes;
};

// Write what torch.save puts around the pickle of the object: the archive of PyTorch 1.6 and later,
// and the legacy file.
std::string TorchZip(const std::string& pickle, const std::vector<StorageBytesOf>& storages,
                     const ZipOptions& options = {});
std::string TorchLegacy(const std::string& pickle, const std::vector<StorageBytesOf>& storages,
                        bool little_endian = true);

// A checkpoint of an epoch and a state dict of all tensors (of type kF32 or kI64), whose names come
// after `prefix`: {"epoch": 3, "state_dict": {...}}.
std::string TorchCheckpoint(const TensorMap& tensors, std::string_view prefix);

// Little-endian float32.
std::string FloatBytes(std::initializer_list<float> values);

}  // namespace facegate
