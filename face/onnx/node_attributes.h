#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "face/onnx/onnx_model.h"
#include "face/weights/weights.h"

namespace facegate {

// The value of an attribute; nothing where it is absent or of another type.
std::optional<int64_t> IntegerOf(const OnnxNode& node, const char* name);
std::optional<std::vector<int64_t>> IntegersOf(const OnnxNode& node, const char* name);
std::optional<float> RealOf(const OnnxNode& node, const char* name);
std::optional<std::string> TextOf(const OnnxNode& node, const char* name);
std::optional<Tensor> TensorOf(const OnnxNode& node, const char* name);

// What a Cast gives: fractions of any size, or whole numbers of 32 or 64 bits.
bool CastsToReal(const OnnxNode& node);
bool CastsToWhole(const OnnxNode& node);

}  // namespace facegate
