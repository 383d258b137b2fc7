#include "trainer/run/batch_feed.h"

namespace facegate {

StatusOr<FedBatch> BatchFeed::Fetch() {
  FedBatch fed;
  FACEGATE_ASSIGN_OR_RETURN(fed.batch, loader_.Next());
  if (training_.has_card()) {
    FACEGATE_ASSIGN_OR_RETURN(fed.shipped, training_.Ship(*fed.batch));
  }
  return fed;
}

StatusOr<FedBatch> BatchFeed::Next() {
  if (!training_.has_card()) return Fetch();
  StatusOr<FedBatch> fed = coming_.valid() ? coming_.get() : Fetch();
  if (fed.ok()) coming_ = std::async(std::launch::async, [this] { return Fetch(); });
  return fed;
}

}  // namespace facegate
