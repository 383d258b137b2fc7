#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

// Tells where a tensor lies, as the header of a safetensors file says; begin and end count from the
// end of the header and are not checked against each other yet.
struct SafetensorsEntry {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry, std::less<>> entries;
  std::map<std::string, std::string> metadata;
};

// Reads the JSON as a stream: exactly this shape, no key twice, no key unknown. kInvalidArgument
// otherwise, with the byte where it stands.
StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json);

}  // namespace facegate
