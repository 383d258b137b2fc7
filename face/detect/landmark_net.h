#pragma once

#include <array>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/landmark_weights.h"

namespace facegate {

// The landmark network: 3×3 convolutions of a grey crop, each followed by a ReLU, then two
// connected layers with a ReLU between. Trained by facegate-train fit-landmarks.
struct LandmarkConvolution {
  int inputs = 0;
  int outputs = 0;
  int stride = 1;
};
inline constexpr std::array<LandmarkConvolution, 7> kLandmarkConvolutions = {
    {{1, 16, 2}, {16, 16, 1}, {16, 32, 2}, {32, 32, 1}, {32, 64, 2}, {64, 64, 1}, {64, 48, 2}}};
inline constexpr int kLandmarkCropSide = 96;    // pixels
inline constexpr int kLandmarkGridSide = 6;     // what the convolutions leave of it
inline constexpr int kLandmarkHidden = 64;      // numbers between the connected layers
inline constexpr size_t kLandmarkOutputs = 11;  // x y of five points, and the confidence
// A point is where the average face has it (face_frame.h) and the output times this, in shares of
// the frame.
inline constexpr double kLandmarkUnit = 0.1;

// Names and shapes of the tensors: "convolution1.weight" [outputs, inputs, 3, 3],
// "convolution1.bias" and so on, "hidden.weight" [hidden, features], "output.weight", their biases,
// and "box_to_frame" [3]: how the frame of a face lies to the cascade's box, whose width is 1: the
// way from the box's centre to the frame's, x and y, and the frame's side.
struct LandmarkTensorShape {
  std::string name;
  std::vector<int> shape;
};
std::vector<LandmarkTensorShape> LandmarkTensorShapes();
inline constexpr char kBoxToFrame[] = "box_to_frame";

// What the network takes: the pixels of an 8-bit grey crop, moved and scaled to the mean 0 and the
// deviation 1, so that light matters little.
cv::Mat LandmarkInput(const cv::Mat& crop);

// The network by cv::dnn. Not thread-safe; the weights may go away after Create().
class LandmarkNet {
 public:
  using Outputs = std::array<float, kLandmarkOutputs>;

  // kInvalidArgument, naming a tensor, for weights of other names or shapes or that are not finite.
  static StatusOr<std::unique_ptr<LandmarkNet>> Create(const LandmarkWeights& weights);
  virtual ~LandmarkNet() = default;

  // `crop`: 8-bit grey, of kLandmarkCropSide. Raw outputs; the last is the logarithm of the odds
  // that the crop shows a face.
  virtual StatusOr<Outputs> Run(const cv::Mat& crop) = 0;
};

}  // namespace facegate
