#pragma once

#include <future>
#include <memory>
#include <optional>

#include "face/base/status.h"
#include "trainer/learn/training.h"
#include "trainer/photos/loader.h"

namespace facegate {

// A batch as it comes to be learned.
struct FedBatch {
  std::unique_ptr<Batch> batch{};
  std::optional<ShippedBatch> shipped{};  // where the training has a card
};

// Takes batches from a loader to a training. Where that has a card, the next one is on its way
// there, on a thread of its own, while one is learned. Not thread-safe.
class BatchFeed {
 public:
  // Both outlive it.
  BatchFeed(Loader& loader, const Training& training) : loader_(loader), training_(training) {}
  // Waits for the batch that is on its way.
  ~BatchFeed() = default;

  // The batch of the next step; waits for it.
  StatusOr<FedBatch> Next();

 private:
  StatusOr<FedBatch> Fetch();

  Loader& loader_;
  const Training& training_;
  std::future<StatusOr<FedBatch>> coming_;  // none: nothing is on its way
};

}  // namespace facegate
