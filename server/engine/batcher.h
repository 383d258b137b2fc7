#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "face/base/clock.h"
#include "face/base/embedding.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "server/engine/caller.h"

namespace facegate {

struct BatcherOptions {
  // Faces that may wait beside those being computed. A single request with more faces than this is
  // taken when nothing else waits.
  size_t max_waiting = 256;
};

struct BatcherStats {
  uint64_t batches = 0;  // forward passes; faces / batches is the mean batch
  uint64_t faces = 0;    // that went through a forward pass
  uint64_t dropped = 0;  // whose caller had gone before the forward pass
};

// Groups the faces of all callers into batches for one Embedder, on as many threads as it has
// passes(). There is no added wait: whenever a pass of the model is free, what waits is taken, up
// to the embedder's max_batch(); while all are busy the queue fills by itself. Thread-safe. Every
// accepted face gets exactly one callback, on a batch thread (or, for faces that still wait then,
// in the destructor); callbacks must not block.
class Batcher {
 public:
  using Done = std::function<void(StatusOr<Embedding>)>;
  struct Job {
    AlignedFace face;
    Done done;
  };

  // `embedder` and `clock` must outlive the Batcher.
  Batcher(const BatcherOptions& options, Embedder& embedder, const Clock& clock);
  // Answers what still waits with kShuttingDown; returns when the running batches are done.
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Takes all of `jobs` (one or more) or none. kQueueFull with the time after which to retry,
  // kShuttingDown after Stop(); on an error no callback is called. A face whose caller is gone when
  // its turn comes is answered with caller.Check() and not computed. When a batch fails by
  // kInternal, each of its faces is computed alone; by another code, each gets the embedder's
  // error.
  Status Submit(std::vector<Job> jobs, const Caller& caller);
  // Refuses new faces, finishes those that wait. Idempotent.
  void Stop();

  BatcherStats stats() const;

 private:
  struct Waiting {
    Job job;
    Caller caller;
  };
  struct Dropped {
    Done done;
    Status why;
  };

  void Run();
  // Waits for faces; false when closed and empty.
  bool Take(std::vector<Waiting>& batch, std::vector<Dropped>& dropped);
  void Compute(std::vector<Waiting> batch);
  std::chrono::milliseconds RetryDelay() const FACEGATE_REQUIRES(mutex_);

  const BatcherOptions options_;
  Embedder& embedder_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Waiting> queue_ FACEGATE_GUARDED_BY(mutex_);
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;
  // The time per face of the last batch tells a refused caller when there will be room.
  std::chrono::duration<double> time_per_face_ FACEGATE_GUARDED_BY(mutex_){0.0};
  BatcherStats stats_ FACEGATE_GUARDED_BY(mutex_);

  Mutex join_mutex_;
  std::vector<std::thread> threads_ FACEGATE_GUARDED_BY(join_mutex_);
};

}  // namespace facegate
