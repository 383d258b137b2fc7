#pragma once

#include <map>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/model/weights.h"

namespace facegate {

// A safetensors file (huggingface/safetensors, format of 2022): u64 little-endian length of the
// header, the header as JSON {name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__":
// {string: string}}, then the tensors' bytes.
struct Safetensors {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

// kInvalidArgument, with what is wrong and where, for bytes that are no such file: overlapping,
// unordered or missing ranges, sizes that do not match, a header above 100 MB, unknown types,
// duplicate names. Never allocates more than the bytes given.
StatusOr<Safetensors> ParseSafetensors(std::string_view bytes);

// Deterministic: tensors in the order of names, the data aligned to 8 bytes.
std::string SerializeSafetensors(const Safetensors& file);

}  // namespace facegate
