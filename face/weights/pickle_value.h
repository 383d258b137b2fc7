#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "face/weights/weights.h"

// The values that a pickle can hold. They refer to each other by number inside one
// PickleGraph, so shared and even cyclic structures neither leak nor recurse; whoever walks them
// must bound the depth. Text is a view into the pickle's bytes.
namespace facegate {

using PickleRef = uint32_t;

struct PickleNone {};
// An integer that does not fit 64 bits: little-endian two's complement.
struct PickleBigInt {
  std::string_view bytes;
};
struct PickleText {
  std::string_view text;
};
struct PickleBytes {
  std::string_view bytes;
};
struct PickleTuple {
  std::vector<PickleRef> items;
};
struct PickleList {
  std::vector<PickleRef> items;
};
// A dict or an OrderedDict, in the order of insertion; a key may stand twice.
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> entries;
};
// One of the allowed names.
struct PickleGlobal {
  enum class Kind { kOrderedDict, kRebuildTensor, kRebuildParameter, kStorage, kDescribed };
  Kind kind = Kind::kOrderedDict;
  DType dtype = DType::kF32;  // of a storage
  uint32_t described = 0;     // its place in PickleVocabulary::described
};
// Describes the object that a call of a kDescribed global would have made. Nothing was called.
struct PickleCall {
  uint32_t described = 0;            // as above
  PickleRef arguments = 0;           // a PickleTuple
  std::optional<PickleRef> state{};  // what the pickle would set it to then
};
// `elements` elements kept under `key`; this storage is those from `view_offset` on,
// `view_elements` of them (all, but for views of the legacy format).
struct TorchStorage {
  std::string_view key;
  DType dtype = DType::kF32;
  int64_t elements = 0;
  int64_t view_offset = 0;
  int64_t view_elements = 0;
};
struct TorchTensor {
  PickleRef storage = 0;  // a TorchStorage
  int64_t offset = 0;     // elements, not negative
  PickleRef shape = 0;    // a PickleTuple of as many numbers as
  PickleRef strides = 0;  // this one, in elements
};

using PickleValue = std::variant<PickleNone, bool, int64_t, PickleBigInt, double, PickleText,
                                 PickleBytes, PickleTuple, PickleList, PickleDict, PickleGlobal,
                                 PickleCall, TorchStorage, TorchTensor>;

struct PickleGraph {
  std::vector<PickleValue> values;

  // nullptr when the value is of another type.
  template <typename T>
  const T* Get(PickleRef ref) const {
    return std::get_if<T>(&values[ref]);
  }
  // An integer that is not below 0; nothing for any other value.
  std::optional<int64_t> Count(PickleRef ref) const;
  // A tuple of such integers.
  std::optional<std::vector<int64_t>> Extents(PickleRef tuple) const;
};

}  // namespace facegate
