#pragma once

#include <cstdint>

#include "face/base/status.h"
#include "trainer/report/run_log.h"
#include "trainer/run/learner.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"

// A run of `fit` does and says this once, before the first batch of a call.
namespace facegate {

// Gives the network the weights of network.init, where the recipe names some and nothing was
// learned yet, and says what was taken. Errors name the file.
Status TakeStartWeights(const RunFacts& facts, Learner& learner, Session& session);

// Gives TensorBoard the graph of the network, where nothing was learned yet.
Status DrawNetwork(const RunFacts& facts, int64_t batches, report::RunLog& log);

// Says what the recipe changes of the run's, and keeps it: from here on the run has begun.
Status KeepRecipe(RunDirectory& directory, Session& session);

// Says what its owner should know of the recipe and the photos, and after how many batches it goes
// on.
Status SayWarnings(const RunFacts& facts, int64_t batches, Session& session);

}  // namespace facegate
