#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "face/network/description.h"
#include "face/onnx/onnx_model.h"
#include "face/weights/weights.h"

// Networks as ONNX graphs. A graph has the layers of a description as they are, none folded into
// another, in operators of opset 13, or of 10 (older_opset.h). Its initializers are called as the
// tensors of the state dict are, so that the graph gives back the weights that it was made of, bit
// for bit (TakeStateDict()): the slopes of a PReLU have the shape [C, 1, 1] there, and FitTensors()
// says what else differs.
// What a graph needs besides is called "facegate.…".
namespace facegate {

inline constexpr std::string_view kOnnxInput = "data";
inline constexpr std::string_view kOnnxOutput = "embedding";
// The keys of the metadata that say in words what they are.
inline constexpr char kInputKey[] = "facegate_input";
inline constexpr char kOutputKey[] = "facegate_output";

enum class OnnxPixels { kNone, kFloat, kUint8 };

struct NetworkGraphOptions {
  // How crops become the network's input.
  Preprocessing preprocessing{};
  // The graph begins with pixels 0..255 of this type, in the order R, G, B, and applies colour
  // order, mean and scale itself; kNone: it takes what WriteNetworkInput() makes.
  OnnxPixels pixels = OnnxPixels::kNone;
  // The output is divided by its length.
  bool normalise = false;
  // Tensors of F16 stay as they are, each with a Cast; else they become F32.
  bool keep_half = false;
};

// Makes the graph of a network with these weights. Its input is "data", N·C·H·W, its output
// "embedding", N·(numbers of an embedding); N is not fixed. kInvalidArgument where the tensors are
// not those of the description.
StatusOr<OnnxModel> MakeNetworkGraph(const network::Description& description, TensorMap tensors,
                                     const NetworkGraphOptions& options);

}  // namespace facegate
