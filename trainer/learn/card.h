#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/training_options.h"

namespace facegate {

// Tensors on their way to a card.
struct Shipment {
  std::vector<torch::Tensor> tensors{};  // on the card, to be read after Card::Await()
  std::shared_ptr<void> arrival{};       // the card's own note of when they are there
};

// Work that a card does again, whole, at one call: on the same tensors, which may hold other
// numbers by then.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void Replay() = 0;
};

struct CardMemory {
  int64_t total = 0;  // bytes; 0: not known
  int64_t free = 0;
};

// A training asks this of a card beside LibTorch's operators. Ship() is thread-safe; all else
// belongs to the thread that trains. What cannot be done on a working card is an exception of
// LibTorch's, as of its operators.
class Card {
 public:
  virtual ~Card() = default;

  virtual torch::Device device() const = 0;
  // Begins to copy tensors of the CPU through pinned memory, beside what the card computes. The
  // tensors may be gone once it returns. Undefined ones stay undefined.
  virtual Shipment Ship(const std::vector<torch::Tensor>& tensors) = 0;
  // Lets what is queued from here on wait until the shipment is there.
  virtual void Await(const Shipment& shipment) = 0;
  // Runs `work` once to warm up, then `undo`, then records what `work` queues, without running it.
  // An error says why it cannot be recorded; `undo` is then to be called once more.
  virtual StatusOr<std::unique_ptr<Recording>> Record(const std::function<void()>& work,
                                                      const std::function<void()>& undo) = 0;
  virtual CardMemory memory() const = 0;
};

// Opens the card of `options.device`, and sets for the whole process how it computes:
// `options.precision` (TF32) and `options.deterministic`. Belongs before the first use of the card.
// kFailedPrecondition in a build for CPUs, and where CUDA does not start.
StatusOr<std::unique_ptr<Card>> OpenCard(const TrainingOptions& options);

}  // namespace facegate
