#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

// The backbones are known by their names.
namespace facegate {

// The backbones, as their originals have them. Stored in cards: do not change them.
//
//   mobilefacenet-128, mobilenetv1-512             bubbliiiing/arcface-pytorch
//   mobilefacenet-512, iresnet-18 … iresnet-200    InsightFace's arcface_torch
//   ir-50, ir-100, ir-152, irse-50 … irse-152      face.evoLVe (its 101 is called 100 here)
//   ir-18, ir-34, irse-18, irse-34, adaface-ir-*   AdaFace
//   resnet-face-18 (-se: with gates), resnet-*-grey128         ronghuaiyang/arcface-pytorch
//   resnet-face-18-rgb200 (-se), resnet-*-pooled               nyk510/arcface-pytorch
//   resnet-50-mean-128, resnet-18-plane-2          piginzoo/arcface-pytorch
//   keras-resnet-50, keras-mobilenetv2             peteryuX/arcface-tf2
//   ghostfacenet-v1-s1, -s2 (the first stride)     HamadYA/GhostFaceNets, of width 1.3
//   vit-t, vit-s                                   InsightFace's arcface_torch
const std::vector<std::string>& ArchitectureNames();

// Describes the network of that name, or NAME@WIDTHxHEIGHT ("irse-50@224x224"): for pictures of
// another size than the original's, with another first linear layer or last kernel; with the size
// of the original it is NAME itself. kInvalidArgument, listing the known names, for another name,
// and for a size that the network cannot have. `dropout` in 0..1 acts before the last linear layer
// in training mode, where the architecture has one.
StatusOr<network::Description> DescribeArchitecture(std::string_view architecture,
                                                    double dropout = 0.0);

// Gives the length of its embedding.
StatusOr<int> EmbeddingSizeOf(std::string_view architecture);

// Counts trainable and fixed parameters, without buffers.
StatusOr<int64_t> ParameterCount(std::string_view architecture);

// Finds the architecture whose tensors have exactly these names and shapes (num_batches_tracked may
// be missing). kInvalidArgument, naming the nearest architecture and the first tensors that differ,
// when there is none.
StatusOr<std::string> DetectArchitecture(const TensorMap& tensors);

}  // namespace facegate
