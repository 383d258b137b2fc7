#include "face/network/mobilefacenet_names.h"

namespace facegate::network {

MobileFaceNetNames NamesOf(MobileFaceNetNaming naming) {
  if (naming == MobileFaceNetNaming::kArcFaceTorch) {
    return {.group = "layers",
            .trunk = {"0", "1", "2", "3", "4", "5", "6", "7"},
            .inner = "layers",
            .conv = "0",
            .norm = "1",
            .prelu = "2",
            .expand = "0",
            .depthwise = "1",
            .project = "2",
            .repeats = "layers",
            .separate = "conv_sep.layers.0.weight",
            .global = "features.layers.0.layers.0.weight",
            .embed = "features.layers.2.weight"};
  }
  MobileFaceNetNames names{
      .group = "",
      .trunk = {"conv1", "conv2_dw", "conv_23", "conv_3", "conv_34", "conv_4", "conv_45", "conv_5"},
      .inner = "",
      .conv = "conv",
      .norm = "bn",
      .prelu = "prelu",
      .expand = "conv",
      .depthwise = "conv_dw",
      .project = "project",
      .repeats = "model",
      .separate = "sep.weight",
      .global = "GDC_dw.weight",
      .embed = "features.weight"};
  if (naming == MobileFaceNetNaming::kTreB1eN) {
    names.separate = "conv_6_sep.conv.weight";
    names.global = "conv_6_dw.conv.weight";
    names.embed = "linear.weight";
  }
  return names;
}

}  // namespace facegate::network
