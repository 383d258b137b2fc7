#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "face/weights/torch_pickle.h"
#include "tests/support/status_matchers.h"
#include "tests/support/torch_file.h"

// Files of PyTorch around one object, for tests that read them back.
namespace facegate {

inline const std::string& SixFloats() {
  static const std::string bytes = FloatBytes({0, 1, 2, 3, 4, 5});
  return bytes;
}

// Writes the pickle of an object that uses storage "0", the six floats above.
using WriteObject = std::function<void(PickleWriter&)>;

inline std::string PickleOf(const WriteObject& write) {
  PickleWriter writer;
  writer.Proto();
  write(writer);
  return writer.Stop().bytes();
}

inline std::string ZipOf(const WriteObject& write, const ZipOptions& options = {}) {
  return TorchZip(PickleOf(write), {{"0", 6, SixFloats()}}, options);
}

inline std::string LegacyOf(const WriteObject& write) {
  return TorchLegacy(PickleOf(write), {{"0", 6, SixFloats()}});
}

inline void WriteSix(PickleWriter& writer) {
  writer.Tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
}

// An OrderedDict of one name, as model.state_dict() gives it, with the attribute _metadata.
inline void WriteStateDict(PickleWriter& writer, std::string_view name) {
  writer.Global("collections", "OrderedDict").Raw(")R").Text(name);
  WriteSix(writer);
  writer.Raw("s}").Text("_metadata").Raw("}sb");
}

inline std::vector<std::string> NamesOf(const StatusOr<TensorMap>& tensors) {
  EXPECT_THAT(tensors, IsOk());
  std::vector<std::string> names;
  if (tensors.ok()) {
    for (const auto& [name, tensor] : *tensors) names.push_back(name);
  }
  return names;
}

inline std::string FileError(const std::string& file) {
  const auto tensors = ParseTorchPickle(file);
  EXPECT_THAT(tensors, StatusIs(StatusCode::kInvalidArgument));
  return tensors.ok() ? "" : std::string(MessageOf(tensors.status()));
}

}  // namespace facegate
