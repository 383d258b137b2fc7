#pragma once

#include "face/network/description.h"

// Networks of Keras Applications under the head of peteryuX/arcface-tf2: batch norm, dropout,
// linear, batch norm; 112×112 and 512-d. The backbone is one graph of layers under Keras' names,
// with PyTorch's for their tensors (weight, bias, running_mean, running_var); the head is in
// "OutputLayer".
namespace facegate::network {

// "resnet50". Its convolutions have biases, and its batch norms an epsilon of 1.001e-5.
Description KerasResNet50(double dropout);

// "mobilenetv2" (Sandler et al. 2018, arXiv:1801.04381), of width 1.
Description KerasMobileNetV2(double dropout);

}  // namespace facegate::network
