#pragma once

#include <chrono>
#include <thread>

#include "face/base/mutex.h"
#include "index/template_store.h"

namespace facegate {

// Turns "deleted" into "erased": some time after a deletion it compacts the store, so that the
// deleted bytes leave its files; deletions that come meanwhile share the
// compaction, and one that fails is done again. Thread-safe.
// The destructor does what is still to be done.
//
// A process that is killed in between leaves a mark in the store: the next one begins with that.
class Eraser {
 public:
  // `store` must outlive the Eraser.
  Eraser(TemplateStore& store, std::chrono::milliseconds delay);
  ~Eraser();
  Eraser(const Eraser&) = delete;
  Eraser& operator=(const Eraser&) = delete;

  // Something was deleted.
  void Request();

 private:
  void Run();
  // Waits for a request and for the delay after it; false when there is nothing left to do.
  bool WaitForWork();

  TemplateStore& store_;
  const std::chrono::milliseconds delay_;

  Mutex mutex_;
  CondVar wake_;
  bool requested_ FACEGATE_GUARDED_BY(mutex_) = false;
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace facegate
