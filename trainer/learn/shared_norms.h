#pragma once

#include "face/torch/backbone.h"
#include "trainer/parallel/process_group.h"

namespace facegate {

// Gives the batch norms of a network that several processes train the statistics of the batch of
// all of them. The group outlives the network.
void ShareNorms(Backbone& backbone, ProcessGroup& group);

}  // namespace facegate
