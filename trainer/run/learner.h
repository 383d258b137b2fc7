#pragma once

#include <memory>
#include <string>
#include <utility>

#include "face/base/status.h"
#include "face/weights/model_file.h"
#include "trainer/learn/training.h"
#include "trainer/run/batch_feed.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"
#include "trainer/run/teacher.h"

namespace facegate {

// The network of a run as it learns, with its teacher where it has one. Not thread-safe.
class Learner {
 public:
  // `facts` and `session` outlive it. kInvalidArgument, too, where the teacher's embeddings or maps
  // have other sizes.
  static StatusOr<std::unique_ptr<Learner>> Create(const RunFacts& facts, const Session& session);

  Training& training() { return *training_; }
  const Teacher* teacher() const { return teacher_.get(); }

  // The trained weights that it began with, in words; empty: random ones.
  const std::string& begun_with() const { return begun_with_; }
  void set_begun_with(std::string words) { begun_with_ = std::move(words); }

  // Learns from the batch that is next, and from what the teacher says of it.
  StatusOr<StepReport> Learn(const FedBatch& fed);
  // The network as it is now, with a card that says what it was trained with.
  StatusOr<ModelFile> Model();

 private:
  Learner(const RunFacts& facts, const Session& session) : facts_(facts), session_(session) {}

  Status OpenOwnTeacher();

  const RunFacts& facts_;
  const Session& session_;
  std::unique_ptr<Training> training_;
  std::unique_ptr<Teacher> teacher_;
  std::string begun_with_;
};

}  // namespace facegate
