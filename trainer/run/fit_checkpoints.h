#pragma once

#include <cstdint>
#include <string>

#include "face/base/status.h"
#include "trainer/learn/checkpoint.h"
#include "trainer/report/run_log.h"
#include "trainer/run/judge.h"
#include "trainer/run/learner.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"

namespace facegate {

// What a checkpoint of `fit` calls the digest of its photos (TrainingData::digest).
inline constexpr char kPhotosDigest[] = "photos_digest";

// The checkpoints of a run of `fit`: the state of its training, with how it stands and what it was
// begun with. Not thread-safe.
class FitCheckpoints {
 public:
  // All outlive it.
  FitCheckpoints(const RunFacts& facts, const RunDirectory& directory, Learner& learner)
      : facts_(facts), directory_(directory), learner_(learner) {}

  // Goes on from the newest checkpoint that can be read, where there are some; the others are said.
  // kFailedPrecondition where none can be used, or the photos or the teacher are others now.
  StatusOr<Standing> Resume(Session& session);
  // Writes one where a batch was learned since the last one, or it stands otherwise, the log before
  // it, and removes those that are more than the recipe keeps. Belongs where no update is half
  // gathered.
  Status Save(const Standing& standing, report::RunLog& log);

 private:
  // Says so where the checkpoint was made on another device, whose words are given.
  Status SayOtherDevice(const std::string& before, Session& session) const;
  Status CheckSame(const CheckpointFacts& facts) const;
  // How the run stood; without figures of other sets than those that count now, which is said.
  StatusOr<Standing> StandingOf(const CheckpointFacts& facts, Session& session) const;
  CheckpointFacts FactsOf(const Standing& standing) const;
  // The numbers of the sets that count.
  std::string BestSets() const;

  const RunFacts& facts_;
  const RunDirectory& directory_;
  Learner& learner_;
  int64_t saved_at_ = 0;   // before the first batch there is nothing that the recipe does not give
  CheckpointFacts saved_;  // with what it was saved
};

}  // namespace facegate
