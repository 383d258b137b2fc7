#pragma once

#include <functional>
#include <opencv2/core.hpp>
#include <utility>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/sha256.h"
#include "face/embed/embedder.h"

namespace facegate {

// A model without a network: the mean of each channel in each cell of a 4 by 4 grid, less 127.5,
// normalised (48 values). So a test knows the embedding of a crop, and different patterns have
// different embeddings. It counts its calls, and can be held in one or made to fail. Thread-safe.
class FakeEmbedder final : public Embedder {
 public:
  static constexpr int kGrid = 4;
  static constexpr int kEmbeddingSize = 3 * kGrid * kGrid;

  explicit FakeEmbedder(int max_batch = 8, const std::string& weights = "fake weights",
                        int passes = 1)
      : max_batch_(max_batch), passes_(passes) {
    card_.architecture = "fake";
    card_.embedding_size = kEmbeddingSize;
    card_.model_digest = Sha256Hex(weights);
    card_.preprocessing_digest = Sha256Hex("fake preprocessing");
    card_.training_data = "none";
    card_.licence = "Apache-2.0";
    card_.origin = "tests";
  }

  const ModelCard& card() const override { return card_; }
  // The card may be changed before the embedder is shared.
  ModelCard& mutable_card() { return card_; }
  const Compute& compute() const override { return compute_; }
  int max_batch() const override { return max_batch_; }
  int passes() const override { return passes_; }
  Status Health() const override {
    const MutexLock lock(mutex_);
    return health_;
  }

  StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) override {
    if (on_embed_) on_embed_();
    {
      const MutexLock lock(mutex_);
      batch_sizes_.push_back(faces.size());
      changed_.NotifyAll();
      while (blocked_) changed_.Wait(mutex_);
      if (!error_.ok()) return error_;
    }
    std::vector<Embedding> embeddings;
    for (const AlignedFace& face : faces) {
      auto embedding = Embedding::Normalize(Describe(face));
      if (!embedding.ok()) return Internal("a face has no direction");
      embeddings.push_back(*std::move(embedding));
    }
    return embeddings;
  }

  static std::vector<float> Describe(const AlignedFace& face) {
    std::vector<float> values;
    const int width = face.bgr.cols / kGrid;
    const int height = face.bgr.rows / kGrid;
    for (int cell = 0; cell < kGrid * kGrid; ++cell) {
      const cv::Rect place(cell % kGrid * width, cell / kGrid * height, width, height);
      const cv::Scalar mean = cv::mean(face.bgr(place));
      for (int c = 0; c < 3; ++c) values.push_back(static_cast<float>(mean[c] - 127.5));
    }
    return values;
  }

  // Runs at the start of each Embed(). To be set before the embedder is shared.
  void set_on_embed(std::function<void()> hook) { on_embed_ = std::move(hook); }
  // Calls of Embed() wait inside until Unblock().
  void Block() {
    const MutexLock lock(mutex_);
    blocked_ = true;
  }
  void Unblock() {
    const MutexLock lock(mutex_);
    blocked_ = false;
    changed_.NotifyAll();
  }
  // Every later call gives this error; OK ends it.
  void FailWith(Status error) {
    const MutexLock lock(mutex_);
    error_ = std::move(error);
  }
  void set_health(Status health) {
    const MutexLock lock(mutex_);
    health_ = std::move(health);
  }
  void WaitForCalls(size_t count) {
    const MutexLock lock(mutex_);
    while (batch_sizes_.size() < count) changed_.Wait(mutex_);
  }
  // Lists the sizes of all calls so far, in order.
  std::vector<size_t> batch_sizes() {
    const MutexLock lock(mutex_);
    return batch_sizes_;
  }

 private:
  ModelCard card_;
  const Compute compute_{.device = "cpu", .threads = 3};
  const int max_batch_;
  const int passes_;
  std::function<void()> on_embed_;

  mutable Mutex mutex_;
  CondVar changed_;
  bool blocked_ FACEGATE_GUARDED_BY(mutex_) = false;
  Status error_ FACEGATE_GUARDED_BY(mutex_);
  Status health_ FACEGATE_GUARDED_BY(mutex_);
  std::vector<size_t> batch_sizes_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
