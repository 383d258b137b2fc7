#pragma once

#include <cstdint>
#include <vector>

#include "face/network/description.h"

// Improved residual networks whose layers are in "input_layer", "body" and "output_layer".
namespace facegate::network {

// What a unit of the body is made of.
enum class IrUnit {
  kPlain,       // two 3×3 convolutions, with a PReLU between them (face.evoLVe, and others)
  kNormed,      // the same with a batch norm before the PReLU (AdaFace, TFace)
  kBottleneck,  // 1×1, 3×3 and 1×1 convolutions (the deep ones of AdaFace)
};

struct IrStage {
  int64_t units = 0;  // of which the first halves the picture
  int64_t width = 0;  // channels
};

// Squeeze-and-excitation stands at the end of each unit: by its position in kPlain ones, else as
// "se_block".
struct IrShape {
  Input input = kCropInput;
  int64_t stem = 64;  // channels
  std::vector<IrStage> stages;
  IrUnit unit = IrUnit::kPlain;
  int64_t reduction = 0;      // of the channel gates; 0: there are none
  bool affine_output = true;  // of the last batch norm; AdaFace's has neither weight nor bias
  int64_t outputs = 512;
};

Description Ir(const IrShape& shape, double dropout);

// The networks of face.evoLVe: IR_50, IR_101 (here 100) and IR_152 by the depths 50, 100 and 152,
// and with gates IR_SE_50, IR_SE_101 and IR_SE_152. It has no others.
IrShape EvolveIr(int depth, bool gates);

// Those of AdaFace (mk-minchul/AdaFace, net.py), by the depths 18, 34, 50, 100, 152 and 200. From
// 152 they are bottlenecks of 256 to 2,048 channels.
IrShape AdaFaceIr(int depth, bool gates);

}  // namespace facegate::network
