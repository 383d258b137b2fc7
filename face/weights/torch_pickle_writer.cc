#include "face/weights/torch_pickle_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "face/base/coding.h"
#include "face/weights/pickle_global.h"
#include "face/weights/pickle_opcode.h"
#include "face/weights/quote.h"
#include "face/weights/zip_writer.h"

namespace facegate {
namespace {

constexpr std::string_view kFolder = "archive";

// Appends opcodes of Python's pickle protocol 2 that torch.load accepts with weights_only.
class PickleBuilder {
 public:
  void Opcode(PickleOpcode opcode) { bytes_.push_back(static_cast<char>(opcode)); }
  void Global(std::string_view module, std::string_view name) {
    Opcode(PickleOpcode::kGlobal);
    bytes_ += fmt::format("{}\n{}\n", module, name);
  }
  void Text(std::string_view text) {
    Opcode(PickleOpcode::kBinUnicode);
    AppendLittleEndian(bytes_, static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }
  // Not below 0.
  void Number(int64_t value) {
    if (value <= 0xff) {
      Opcode(PickleOpcode::kBinInt1);
      AppendLittleEndian(bytes_, static_cast<uint8_t>(value));
    } else if (value <= std::numeric_limits<int32_t>::max()) {
      Opcode(PickleOpcode::kBinInt);
      AppendLittleEndian(bytes_, static_cast<uint32_t>(value));
    } else {
      Opcode(PickleOpcode::kLong1);
      AppendLittleEndian(bytes_, uint8_t{sizeof(value)});
      AppendLittleEndian(bytes_, static_cast<uint64_t>(value));
    }
  }
  void Numbers(std::span<const int64_t> values) {
    Opcode(PickleOpcode::kMark);
    for (const int64_t value : values) Number(value);
    Opcode(PickleOpcode::kTuple);
  }
  void EmptyOrderedDict() {
    Global("collections", "OrderedDict");
    Opcode(PickleOpcode::kEmptyTuple);
    Opcode(PickleOpcode::kReduce);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// As many elements apart are the neighbours along each dimension, in C order.
std::vector<int64_t> Strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

// Calls torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks).
void WriteTensor(const Tensor& tensor, size_t number, PickleBuilder& pickle) {
  pickle.Global("torch._utils", "_rebuild_tensor_v2");
  pickle.Opcode(PickleOpcode::kMark);
  pickle.Opcode(PickleOpcode::kMark);
  pickle.Text("storage");
  pickle.Global("torch", TorchStorageName(tensor.dtype));
  pickle.Text(std::to_string(number));
  pickle.Text("cpu");
  pickle.Number(tensor.element_count());
  pickle.Opcode(PickleOpcode::kTuple);
  pickle.Opcode(PickleOpcode::kBinPersid);
  pickle.Number(0);
  pickle.Numbers(tensor.shape);
  pickle.Numbers(Strides(tensor.shape));
  pickle.Opcode(PickleOpcode::kNewFalse);
  pickle.EmptyOrderedDict();
  pickle.Opcode(PickleOpcode::kTuple);
  pickle.Opcode(PickleOpcode::kReduce);
}

std::string PickleOf(const TensorMap& tensors) {
  PickleBuilder pickle;
  pickle.Opcode(PickleOpcode::kProto);
  pickle.Opcode(static_cast<PickleOpcode>(2));
  pickle.EmptyOrderedDict();
  pickle.Opcode(PickleOpcode::kMark);
  size_t number = 0;
  for (const auto& [name, tensor] : tensors) {
    pickle.Text(name);
    WriteTensor(tensor, number++, pickle);
  }
  pickle.Opcode(PickleOpcode::kSetItems);
  pickle.Opcode(PickleOpcode::kStop);
  return pickle.bytes();
}

}  // namespace

StatusOr<std::string> SerializeTorchPickle(const TensorMap& tensors) {
  FACEGATE_RETURN_IF_ERROR(CheckTensors(tensors));
  ZipWriter zip;
  const auto entry = [](std::string_view name) { return fmt::format("{}/{}", kFolder, name); };
  FACEGATE_RETURN_IF_ERROR(zip.Add(entry("data.pkl"), PickleOf(tensors)));
  FACEGATE_RETURN_IF_ERROR(zip.Add(entry("byteorder"), "little"));
  size_t number = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::string place = entry(fmt::format("data/{}", number++));
    if (Status added = zip.Add(place, tensor.bytes); !added.ok()) {
      return Annotate(added, fmt::format("tensor {}", Quote(name)));
    }
  }
  FACEGATE_RETURN_IF_ERROR(zip.Add(entry("version"), "3\n"));
  return zip.Finish();
}

}  // namespace facegate
