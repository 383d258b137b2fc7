#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/card.h"
#include "trainer/learn/descent.h"
#include "trainer/learn/staged_batch.h"
#include "trainer/learn/step_loss.h"
#include "trainer/learn/step_report.h"

namespace facegate {

// A step up to its gradients, on a card: all of it is queued, and its numbers are read once, which
// is where the card and the thread that trains wait for each other. What repeats is recorded after
// a few steps (forward, loss, backward, norm) and replayed from then on, with the same results.
class CardStep {
 public:
  struct Parts {  // all of which outlive it
    Card& card;
    StepLoss& loss;
    Descent& descent;
  };
  // `record`: whether steps may be recorded.
  CardStep(const Parts& parts, bool record);

  // Gathers the gradients of a batch, and says its numbers in `report`. Returns what
  // Descent::Gather() does. `undo` puts back what a step changes of the network and begins its
  // random numbers again; it is called where a step is run more than once.
  StatusOr<double> Gather(const ShippedBatch& shipped, const TeacherTargets& targets,
                          int64_t batches, const std::function<void()>& undo, StepReport& report);

 private:
  // A step that was recorded, with the tensors that it reads and writes.
  struct Recorded {
    StagedBatch batch{};
    Status failure{};  // of the step, while it was recorded
    StepNumbers numbers{};
    std::vector<torch::Tensor> gradients{};
    std::unique_ptr<Recording> recording{};
  };

  Status Queue(const StagedBatch& batch, int64_t batches, const std::function<void()>& undo,
               StepReport& report);
  // Runs loss and gradients, operator by operator.
  Status Run(const StagedBatch& batch, int64_t batches);
  // Records the step for batches like this one; says in `report` where it cannot.
  bool Record(const StagedBatch& batch, int64_t batches, const std::function<void()>& undo,
              StepReport& report);
  Status Replay(StagedBatch batch);
  void ReadInto(StepReport& report, double& norm) const;

  const Parts parts_;
  bool may_record_;
  int64_t repeating_ = 0;  // steps that could have been replayed
  StepNumbers numbers_;    // of the last step: which of them there are
  torch::Tensor read_;     // their values, and the norm of the gradients
  std::unique_ptr<Recorded> recorded_;
};

}  // namespace facegate
