#pragma once

#include "trainer/fused/convolution.h"

namespace facegate {

// The kind of stage decides: a matrix product, or a kernel a channel.
void MultiplyForward(const ConvolutionTask& task);
void MultiplyBackward(const ConvolutionTask& task, InputGradient* target);
void DepthwiseForward(const ConvolutionTask& task);
void DepthwiseBackward(const ConvolutionTask& task, InputGradient* target);

// Adds the moments of rows of z to the group's; `scratch` holds two numbers a channel.
void GatherMoments(const ConvolutionTask& task, int64_t first, int64_t rows, float* scratch);
// The gradient of z.
void ComputeGradient(const ConvolutionTask& task, int64_t first, int64_t rows, float* out);

}  // namespace facegate
