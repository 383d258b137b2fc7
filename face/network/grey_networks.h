#pragma once

#include <cstddef>

#include "face/network/description.h"

// Two small networks are built into the programs. They look at a grey crop: 3×3 convolutions, each
// with a bias and a ReLU, then two connected layers with a ReLU between. Tensors are
// "convolution1.weight" [outputs, inputs, 3, 3], "convolution1.bias" and so on, "hidden.weight"
// [hidden, features], "output.weight", and the biases of both.
namespace facegate {

// The landmark network finds the five points of a face (face/detect/landmark_net.h).
network::Description DescribeLandmarkNetwork();
inline constexpr int kLandmarkCropSide = 96;    // pixels
inline constexpr size_t kLandmarkOutputs = 11;  // x y of five points, and the confidence
// A tensor [3] of the landmark network that is of no layer says how the frame of a face lies to the
// cascade's box, whose width is 1: the way from the box's centre to the frame's, x and y, and the
// frame's side.
inline constexpr char kBoxToFrame[] = "box_to_frame";

// The quality network says how fit a face is to be compared (face/detect/quality_net.h).
network::Description DescribeQualityNetwork();
inline constexpr int kQualityCropSide = 96;   // pixels
inline constexpr size_t kQualityOutputs = 3;  // in the order of QualityOpinion

}  // namespace facegate
