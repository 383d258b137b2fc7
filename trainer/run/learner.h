#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "face/weights/model_file.h"
#include "trainer/learn/training.h"
#include "trainer/parallel/process_group.h"
#include "trainer/run/batch_feed.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"
#include "trainer/run/teacher.h"

namespace facegate {

// The network of a run as it learns, with its teacher where it has one. Not thread-safe.
//
// Where processes train together each has one, and that of rank 0 leads: before it learns, begins,
// saves or resumes, it orders the others to do the same, which they do (trainer/run/follow_fit.h).
// What else a run does is rank 0's alone, and the others wait for it.
class Learner {
 public:
  // `facts` and `session` outlive it; `group` null: one process. kInvalidArgument, too, where the
  // teacher's embeddings or maps have other sizes; kUnavailable where not all processes have the
  // same photos.
  static StatusOr<std::unique_ptr<Learner>> Create(const RunFacts& facts, const Session& session,
                                                   std::shared_ptr<ProcessGroup> group = nullptr);

  Training& training() { return *training_; }
  const Teacher* teacher() const { return teacher_.get(); }

  // The trained weights that it began with, in words; empty: random ones.
  const std::string& begun_with() const { return begun_with_; }
  void set_begun_with(std::string words) { begun_with_ = std::move(words); }

  // Learns from the batch that is next, and from what the teacher says of it.
  StatusOr<StepReport> Learn(const FedBatch& fed);
  // See Training.
  StatusOr<TakenWeights> StartFrom(const TensorMap& weights);
  Status Save(const std::string& path, CheckpointFacts facts);
  StatusOr<CheckpointFacts> Resume(const std::string& path);
  // Whoever trains should know these, of the batch that is next: the leading process says them.
  void Tell(std::vector<std::string> sentences) { to_tell_ = std::move(sentences); }
  // What the others have told with the last batch.
  std::vector<std::string> TakeTold() { return std::exchange(told_, {}); }
  // The others end well.
  Status EndOthers();

  enum class OrderKind { kLearn, kStart, kSave, kResume, kEnd };
  struct Order {
    OrderKind kind = OrderKind::kEnd;
    std::string path{};  // of a checkpoint
  };
  // What the leading process orders; for the others. Waits for it.
  StatusOr<Order> AwaitOrder();
  // The network as it is now, with a card that says what it was trained with.
  StatusOr<ModelFile> Model();

 private:
  Learner(const RunFacts& facts, const Session& session, std::shared_ptr<ProcessGroup> group)
      : facts_(facts), session_(session), group_(std::move(group)) {}

  Status OpenOwnTeacher();
  // Does nothing but where this one leads others.
  Status Give(OrderKind kind, const std::string& path = "");
  Status ShareSentences();

  const RunFacts& facts_;
  const Session& session_;
  const std::shared_ptr<ProcessGroup> group_;
  std::vector<std::string> to_tell_;
  std::vector<std::string> told_;
  std::unique_ptr<Training> training_;
  std::unique_ptr<Teacher> teacher_;
  std::string begun_with_;
};

}  // namespace facegate
