#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/card.h"

namespace facegate {

// A card that is the CPU. What it records it runs again, so that a step that is replayed reads and
// writes what one on a card does.
class FakeCard final : public Card {
 public:
  // What a test sees of it; outlives it.
  struct Calls {
    bool refuses_to_record = false;
    std::atomic<int> shipments = 0;  // of any thread
    int recordings = 0;
    int replays = 0;
    // Thrown, where it is set, by whatever waits for a shipment.
    std::function<void()> fail{};
  };
  explicit FakeCard(Calls& calls) : calls_(calls) {}

  torch::Device device() const override { return torch::kCPU; }
  Shipment Ship(const std::vector<torch::Tensor>& tensors) override {
    calls_.shipments += 1;
    Shipment shipment;
    for (const torch::Tensor& tensor : tensors) {
      shipment.tensors.push_back(tensor.defined() ? tensor.clone() : tensor);
    }
    return shipment;
  }
  void Await(const Shipment& /*shipment*/) override {
    if (calls_.fail) calls_.fail();
  }
  StatusOr<std::unique_ptr<Recording>> Record(const std::function<void()>& work,
                                              const std::function<void()>& undo) override {
    work();
    if (calls_.refuses_to_record) return Internal("no graphs today");
    undo();
    calls_.recordings += 1;
    return std::make_unique<Rerun>(work, calls_);
  }
  CardMemory memory() const override { return {.total = 80LL << 30, .free = 1LL << 30}; }

 private:
  class Rerun final : public Recording {
   public:
    Rerun(std::function<void()> work, Calls& calls) : work_(std::move(work)), calls_(calls) {}
    void Replay() override {
      calls_.replays += 1;
      work_();
    }

   private:
    const std::function<void()> work_;
    Calls& calls_;
  };

  Calls& calls_;
};

}  // namespace facegate
