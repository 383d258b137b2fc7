#pragma once

#include <torch/types.h>

#include "trainer/learn/class_head.h"
#include "trainer/learn/head_options.h"
#include "trainer/parallel/process_group.h"

// What follows from the answers of a split head, the same in each process: the softmax goes over
// the classes of all of them. Every process calls these.
namespace facegate {

// ClassificationLoss() of the whole head.
torch::Tensor SplitClassificationLoss(const HeadOutput& output, int64_t classes,
                                      const LossOptions& options, ProcessGroup& group);

// The share of rows whose own class is nearest.
torch::Tensor SplitAccuracy(const HeadOutput& output, ProcessGroup& group);

}  // namespace facegate
