#pragma once

#include "trainer/fused/value_rows.h"

// The convolutions of stages. Each function does the part of one group of pictures on one worker.
namespace facegate {

// Packs the weights of a stage for the way forward, or for that of the input's gradient.
void PackWeight(PassMemory& memory, size_t stage, const float* weight, bool forward,
                Workers& workers);

struct ConvolutionTask {
  const ValueRows& values;
  size_t stage = 0;
  GroupMemory& group;
  float* scratch = nullptr;  // the worker's
};

// Writes z and gathers its moments.
void ConvolveForward(const ConvolutionTask& task);

// Receives the gradient of the stage's input.
class InputGradient {
 public:
  virtual ~InputGradient() = default;
  // `rows` pixels from pixel `first` of the batch on.
  virtual void Take(int64_t first, int64_t rows, const float* gradient) = 0;
  // The pieces taken since the last call are one piece of a sum.
  virtual void EndPiece() = 0;
};

// Goes back from the gradient of the batch norm's output and PassMemory::coefficients: sets the
// group's gradient of the weights (depthwise: with channels last), and gives the input's gradient
// to `target`, or to nobody where that is null.
void ConvolveBackward(const ConvolutionTask& task, InputGradient* target);

}  // namespace facegate
