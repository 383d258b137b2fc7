#pragma once

#include <atomic>
#include <memory>

#include "face/embed/embedder.h"

namespace facegate {

// An embedder on a device whose memory others use, too. When that runs out (kResourceExhausted of
// the embedder within), the call is answered kQueueFull with a time to retry after, and from then
// on the largest batch is half of what did not fit. A call with more faces than the largest batch
// is computed in parts. Thread-safe where the one within is.
class YieldingEmbedder final : public Embedder {
 public:
  explicit YieldingEmbedder(std::unique_ptr<Embedder> within);

  const ModelCard& card() const override { return within_->card(); }
  const Compute& compute() const override { return within_->compute(); }
  int max_batch() const override { return largest_; }
  int passes() const override { return within_->passes(); }
  Status Health() const override { return within_->Health(); }
  StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) override;

 private:
  void Yield(int too_many);

  const std::unique_ptr<Embedder> within_;
  std::atomic<int> largest_;
};

}  // namespace facegate
