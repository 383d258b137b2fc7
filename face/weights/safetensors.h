#pragma once

#include <map>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

// A safetensors file (huggingface/safetensors, format of 2022): u64 little-endian length of the
// header, the header as JSON {name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__":
// {string: string}}, then the tensors' bytes. The ranges cover the bytes after the header without
// hole or overlap.
struct Safetensors {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

// True when the bytes look like such a file (a length that fits, then '{'); does not parse it.
bool LooksLikeSafetensors(std::string_view bytes);

// kInvalidArgument, with what is wrong and where, for bytes that are no such file: overlapping,
// unordered or missing ranges, sizes that do not match, a header above 100 MB, unknown types,
// duplicate names. Allocates in proportion to the bytes given, never to what they claim.
StatusOr<Safetensors> ParseSafetensors(std::string_view bytes);

// Deterministic: tensors by falling size of an element and then by name, so that each is aligned to
// its elements; the header is padded with spaces so that the data begin at a multiple of 8. Names
// must be UTF-8 and not "__metadata__", shapes and bytes must agree.
std::string SerializeSafetensors(const Safetensors& file);

}  // namespace facegate
