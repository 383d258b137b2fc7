#pragma once

#include "trainer/fused/workers.h"

namespace facegate {

// OpenMP's threads, which LibTorch's operators use, too: so they do not wait beside each other.
class OpenMpWorkers final : public Workers {
 public:
  explicit OpenMpWorkers(int count) : count_(count) {}

  int count() const override { return count_; }
  void Run(int tasks, const std::function<void(int task, int worker)>& task) override;

 private:
  const int count_;  // at least 1
};

}  // namespace facegate
