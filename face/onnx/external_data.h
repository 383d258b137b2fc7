#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/status.h"

namespace facegate {

// The files that tensors of an ONNX model lie in when they are outside of it (github.com/onnx/onnx,
// docs/ExternalData.md). Each is read once. A place is a path relative to the model's folder, which
// it does not leave, also not by a link.
class ExternalData {
 public:
  // An empty folder is the current one.
  explicit ExternalData(std::string folder) : folder_(folder.empty() ? "." : std::move(folder)) {}

  // Returns the bytes from `offset` on, `length` of them, or all that follow; they are valid while
  // this object lives. kInvalidArgument for a path that is absolute or leaves the folder, for a
  // range outside of the file, where ranges overlap so much that they are more than the files
  // together, and where those have more than kMaxWeightFileBytes; kNotFound when the file is
  // absent.
  StatusOr<std::string_view> Read(const std::string& location, uint64_t offset,
                                  std::optional<uint64_t> length);

 private:
  StatusOr<std::string_view> File(const std::string& location);

  const std::string folder_;
  std::map<std::string, std::string> files_;  // by their paths without links
  uint64_t bytes_ = 0;                        // of all files
  uint64_t taken_ = 0;                        // of all ranges
};

}  // namespace facegate
