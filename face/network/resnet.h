#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "face/network/description.h"

namespace facegate::network {

// What follows a ResNet's last stage.
enum class ResNetHead {
  kLinear,        // a linear layer
  kNormedLinear,  // "fc": batch norm, dropout, linear, batch norm (nyk510/arcface-pytorch)
  kExtractLayer,  // "extract_layer": linear, batch norm (piginzoo/arcface-pytorch); the layers
                  // before it are in "resnet_layer", named by their positions
};

// The shape of a ResNet (He et al. 2016) whose layers have the names of torchvision's.
struct ResNetShape {
  Input input = kCropInput;
  bool bottleneck = false;  // units of 1×1, 3×3 and 1×1; else of two 3×3
  std::array<int64_t, 4> units = {2, 2, 2, 2};
  int64_t stem = 64;                                    // channels
  std::array<int64_t, 4> widths = {64, 128, 256, 512};  // of the 3×3; a bottleneck gives 4 times as
                                                        // many
  int64_t stem_kernel = 3;                              // 7 has stride 2, others have stride 1
  bool pooled_stem = false;                             // 3×3 pooling of stride 2 after it
  int64_t first_stride = 2;                             // of the first stage; the others have 2
  bool average = false;                                 // each channel's mean, before the head
  ResNetHead head = ResNetHead::kLinear;
  std::string linear = "fc";  // the linear layer's name, of kLinear
  bool bias = true;           // of the linear layer
  int64_t outputs = 512;
};

Description ResNet(const ResNetShape& shape, double dropout);

// What torchvision calls "layer1.0.conv1.weight" is "resnet_layer.4.0.conv1.weight" in a network
// with a kExtractLayer head and a pooled stem. Names that torchvision's trunk has not stay as they
// are.
std::string NameByPosition(std::string_view torchvision);

// The units of ResNet-18, 34, 50, 101 and 152, and whether they are bottlenecks.
ResNetShape ResNetOfDepth(int depth);

// Those of ronghuaiyang/arcface-pytorch: crops of 128×128 in grey, and a linear layer "fc5" of the
// whole last map. The original says 512·8·8 for it at all depths, so that its 50, 101 and 152,
// whose last map has 2,048 channels, cannot run; here it has as many as there are.
ResNetShape GreyResNet(int depth);

// Those of nyk510/arcface-pytorch, with a pooled stem and a normed head; crops of 200×200 in colour
// give the 7×7 that its head is made for. The same is true of its deeper ones.
ResNetShape PooledResNet(int depth);

// The face network of piginzoo/arcface-pytorch: ResNet-50 as torchvision has it, means of channels,
// 128-d; crops of 160×160.
ResNetShape MeanResNet50();

// Its network for handwritten digits: ResNet-18, whose whole last map becomes a point of the plane.
ResNetShape PlaneResNet18();

}  // namespace facegate::network
