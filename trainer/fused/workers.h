#pragma once

#include <functional>

namespace facegate {

// Threads that share tasks of one pass.
class Workers {
 public:
  virtual ~Workers() = default;

  virtual int count() const = 0;  // at least 1
  // Calls task(i, worker) once for each i below `tasks`, in any order, side by side; `worker` is
  // below count(), and no two calls with the same one run at once. Returns when all have ended.
  virtual void Run(int tasks, const std::function<void(int task, int worker)>& task) = 0;
};

// The calling thread alone.
class OneWorker final : public Workers {
 public:
  int count() const override { return 1; }
  void Run(int tasks, const std::function<void(int task, int worker)>& task) override {
    for (int i = 0; i < tasks; ++i) task(i, 0);
  }
};

}  // namespace facegate
