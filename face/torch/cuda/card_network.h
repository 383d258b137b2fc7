#pragma once

#include <torch/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/network/inference_plan.h"
#include "face/torch/plan_network.h"

namespace facegate {

// The pixels of a crop, B, G, R, of the network's input size.
struct CropPixels {
  const uint8_t* first = nullptr;
  size_t row_bytes = 0;  // from one row to the next
};

// How bytes become a network's numbers; see face/image/preprocessing.h.
struct CardInput {
  bool rgb = true;
  std::array<float, 3> mean{};
  std::array<float, 3> scale{};
  int views = 1;  // 2: the crop and its mirror image, whose embeddings are added
};

struct CardOptions {
  int card = 0;
  torch::ScalarType type = torch::kHalf;  // kFloat, kHalf or kBFloat16
  bool tf32 = false;                      // products of kFloat in tf32
  int max_faces = 256;
  int passes = 2;  // that can run at the same time, each with memory of its own
};

// A network on a card: from crops to unit vectors. Everything between the copy of the crops to the
// card and that of the vectors back is one CUDA graph for each of some batch sizes; a batch of
// another size runs as the next larger one. Each pass has a stream, so that the copies of one
// overlap the work of the other. Thread-safe.
class CardNetwork {
 public:
  // Copies the network to the card, warms up and records the graphs, which takes some seconds.
  // Where the card's memory does not hold the largest batches, max_faces() is less than asked for.
  // kResourceExhausted where it holds none, kUnavailable where the card cannot be used (another
  // process has it for itself, say).
  static StatusOr<std::unique_ptr<CardNetwork>> Create(const network::InferencePlan& plan,
                                                       const CardInput& input,
                                                       const CardOptions& options);
  ~CardNetwork();
  CardNetwork(const CardNetwork&) = delete;
  CardNetwork& operator=(const CardNetwork&) = delete;

  int max_faces() const { return max_faces_; }
  int passes() const { return static_cast<int>(passes_.size()); }

  // 1 to max_faces() crops to as many rows of the plan's `outputs` numbers. Waits for a pass to be
  // free. kResourceExhausted, kUnavailable (see Health()), kInternal.
  Status Embed(std::span<const CropPixels> crops, std::span<float> vectors);

  // kUnavailable once the card is lost to this process.
  Status Health() const;

 private:
  struct Pass;
  class Held;

  CardNetwork(const network::InferencePlan& plan, const CardInput& input,
              const CardOptions& options);
  // Records a graph for so many faces in a pass.
  Status Record(Pass& pass, int faces);
  torch::Tensor Compute(Pass& pass, int faces) const;
  Status Run(Pass& pass, std::span<const CropPixels> crops, std::span<float> vectors) const;

  const CardInput input_;
  const CardOptions options_;
  const int height_;
  const int width_;
  const int outputs_;
  const PlanNetwork network_;
  int max_faces_ = 0;
  std::vector<std::unique_ptr<Pass>> passes_;
  std::atomic<bool> lost_ = false;

  Mutex mutex_;
  CondVar freed_;
  std::vector<Pass*> free_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
