#pragma once

#include "face/base/status.h"
#include "trainer/run/data_options.h"
#include "trainer/run/training_data.h"

namespace facegate {

// Adds each set of evaluate.pairs to data.sets, under a name that no other set has, and to `data`
// what follows from it. kInvalidArgument names the option, the set and what is wrong with it, also
// where too few of its photos are there.
Status OpenEvaluationSets(const DataOptions& options, TrainingData& data);

}  // namespace facegate
