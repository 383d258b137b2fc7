#include "server/engine/batcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "face/base/catch.h"
#include "face/base/check.h"

namespace facegate {
namespace {

constexpr std::chrono::milliseconds kShortestRetry{50};
constexpr std::chrono::milliseconds kLongestRetry{5000};

StatusOr<std::vector<Embedding>> EmbedAll(Embedder& embedder, std::span<const AlignedFace> faces) {
  // A batch thread has nobody above it: an exception here would end the process.
  auto embeddings = CatchToStatus("embedding", [&] { return embedder.Embed(faces); });
  if (embeddings.ok() && embeddings->size() != faces.size()) {
    return Internal(
        fmt::format("the model gave {} embeddings for {} faces", embeddings->size(), faces.size()));
  }
  return embeddings;
}

// A result for each face. Where the model fails on them together, each is computed alone: the face
// of one caller must not cost the others theirs. What is of the device (it is lost, or its memory
// is full) is the same for all.
std::vector<StatusOr<Embedding>> EmbedEach(Embedder& embedder, std::span<const AlignedFace> faces) {
  auto together = EmbedAll(embedder, faces);
  if (together.ok()) {
    return {std::make_move_iterator(together->begin()), std::make_move_iterator(together->end())};
  }
  if (together.status().code() != StatusCode::kInternal || faces.size() == 1) {
    return std::vector<StatusOr<Embedding>>(faces.size(), together.status());
  }
  std::vector<StatusOr<Embedding>> results;
  results.reserve(faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    results.push_back(EmbedEach(embedder, faces.subspan(i, 1)).front());
  }
  return results;
}

}  // namespace

Batcher::Batcher(const BatcherOptions& options, Embedder& embedder, const Clock& clock)
    : options_(options), embedder_(embedder), clock_(clock) {
  FACEGATE_CHECK(options.max_waiting >= 1 && embedder.max_batch() >= 1 && embedder.passes() >= 1);
  const MutexLock lock(join_mutex_);
  for (int i = 0; i < embedder.passes(); ++i) threads_.emplace_back([this] { Run(); });
}

Batcher::~Batcher() {
  std::deque<Waiting> orphans;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    orphans.swap(queue_);
  }
  for (Waiting& orphan : orphans) {
    orphan.job.done(Refuse(Reason::kShuttingDown, "the server is shutting down"));
  }
  Stop();
}

Status Batcher::Submit(std::vector<Job> jobs, const Caller& caller) {
  {
    const MutexLock lock(mutex_);
    if (closed_) return Refuse(Reason::kShuttingDown, "the server is shutting down");
    if (!queue_.empty() && queue_.size() + jobs.size() > options_.max_waiting) {
      return WithRetryAfter(
          Refuse(
              Reason::kQueueFull,
              fmt::format("{} faces are waiting for the model and {} more arrived; the limit is {}",
                          queue_.size(), jobs.size(), options_.max_waiting)),
          RetryDelay());
    }
    for (Job& job : jobs) queue_.push_back({std::move(job), caller});
  }
  // All of them, for there may be more faces than one batch.
  wake_.NotifyAll();
  return OkStatus();
}

void Batcher::Stop() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  wake_.NotifyAll();
  const MutexLock lock(join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

BatcherStats Batcher::stats() const {
  const MutexLock lock(mutex_);
  return stats_;
}

std::chrono::milliseconds Batcher::RetryDelay() const {
  const auto until_empty = std::chrono::duration_cast<std::chrono::milliseconds>(
      time_per_face_ * static_cast<double>(queue_.size()));
  return std::clamp(until_empty, kShortestRetry, kLongestRetry);
}

void Batcher::Run() {
  std::vector<Waiting> batch;
  std::vector<Dropped> dropped;
  while (Take(batch, dropped)) {
    for (Dropped& face : dropped) face.done(std::move(face.why));
    dropped.clear();
    if (!batch.empty()) Compute(std::exchange(batch, {}));
  }
}

bool Batcher::Take(std::vector<Waiting>& batch, std::vector<Dropped>& dropped) {
  const auto max_batch = static_cast<size_t>(embedder_.max_batch());
  const MutexLock lock(mutex_);
  while (queue_.empty() && !closed_) wake_.Wait(mutex_);
  if (queue_.empty()) return false;
  const Clock::TimePoint now = clock_.Now();
  while (!queue_.empty() && batch.size() < max_batch) {
    Waiting face = std::move(queue_.front());
    queue_.pop_front();
    if (Status why = face.caller.Check(now); !why.ok()) {
      dropped.push_back({std::move(face.job.done), std::move(why)});
    } else {
      batch.push_back(std::move(face));
    }
  }
  stats_.dropped += dropped.size();
  return true;
}

void Batcher::Compute(std::vector<Waiting> batch) {
  std::vector<AlignedFace> faces;
  faces.reserve(batch.size());
  for (Waiting& waiting : batch) faces.push_back(std::move(waiting.job.face));

  const Clock::TimePoint started = clock_.Now();
  std::vector<StatusOr<Embedding>> results = EmbedEach(embedder_, faces);
  const std::chrono::duration<double> took = clock_.Now() - started;
  {
    const MutexLock lock(mutex_);
    time_per_face_ = took / static_cast<double>(batch.size());
    stats_.batches += 1;
    stats_.faces += batch.size();
  }
  for (size_t i = 0; i < batch.size(); ++i) batch[i].job.done(std::move(results[i]));
}

}  // namespace facegate
