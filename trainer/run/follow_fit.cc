#include "trainer/run/follow_fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "trainer/parallel/process_group.h"
#include "trainer/photos/loader.h"
#include "trainer/run/bad_photos.h"
#include "trainer/run/learner.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/start_loader.h"
#include "trainer/run/start_weights.h"

namespace facegate {
namespace {

constexpr size_t kMostNames = 8;

class Follower {
 public:
  Follower(const RunFacts& facts, Learner& learner, ProcessGroup& group)
      : facts_(facts), learner_(learner), group_(group) {}

  Status Run() {
    while (true) {
      FACEGATE_ASSIGN_OR_RETURN(const Learner::Order order, learner_.AwaitOrder());
      switch (order.kind) {
        case Learner::OrderKind::kLearn:
          FACEGATE_RETURN_IF_ERROR(Learn());
          break;
        case Learner::OrderKind::kStart:
          FACEGATE_RETURN_IF_ERROR(Start());
          break;
        case Learner::OrderKind::kResume:
          // Where one process cannot read it, all hear of it, and the leading one decides.
          learner_.Resume(order.path).status().IgnoreError();
          break;
        case Learner::OrderKind::kSave:
          FACEGATE_RETURN_IF_ERROR(learner_.Save(order.path, {}));
          break;
        case Learner::OrderKind::kEnd:
          return OkStatus();
      }
    }
  }

 private:
  Status Start() {
    FACEGATE_ASSIGN_OR_RETURN(
        const StartWeights weights,
        ReadStartWeights(facts_.recipe.init, facts_.recipe.training.architecture));
    return learner_.StartFrom(weights.tensors).status();
  }

  Status Learn() {
    if (loader_ == nullptr) {
      FACEGATE_ASSIGN_OR_RETURN(
          loader_, StartLoader(facts_, learner_.training().batches(), &group_, bad_photos_));
    }
    FedBatch fed;
    FACEGATE_ASSIGN_OR_RETURN(fed.batch, loader_->Next());
    std::vector<std::string> sentences;
    for (const std::string& message : bad_photos_.Take()) {
      sentences.push_back("left out: " + message);
    }
    if (!skipped_.empty()) sentences.push_back(std::exchange(skipped_, ""));
    learner_.Tell(std::move(sentences));
    FACEGATE_ASSIGN_OR_RETURN(const StepReport step, learner_.Learn(fed));
    if (step.skipped) {
      skipped_ = fmt::format("of the photos of batch {} that was undone, process {} had: {}",
                             step.batch, group_.rank() + 1, NamesOf(*fed.batch));
    }
    return OkStatus();
  }

  std::string NamesOf(const Batch& batch) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(kMostNames, batch.photos.size()); ++i) {
      names.push_back(facts_.data.training->name(batch.photos[i]));
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  const RunFacts& facts_;
  Learner& learner_;
  ProcessGroup& group_;
  BadPhotos bad_photos_;
  std::unique_ptr<Loader> loader_;
  std::string skipped_;  // to be told with the next batch
};

}  // namespace

Status FollowFit(const Recipe& spelled_out, const std::shared_ptr<ProcessGroup>& group,
                 const Session& session) {
  FACEGATE_ASSIGN_OR_RETURN(const RunFacts facts, OpenRunFacts(spelled_out, group->rank()));
  FACEGATE_ASSIGN_OR_RETURN(const auto learner, Learner::Create(facts, session, group));
  return Follower(facts, *learner, *group).Run();
}

}  // namespace facegate
