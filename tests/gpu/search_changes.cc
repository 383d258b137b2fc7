#include "tests/gpu/search_changes.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <thread>
#include <utility>
#include <vector>

namespace facegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kThreads = 4;
constexpr size_t kChanges = 8000;
constexpr size_t kMatches = 3;

class ChangingIndex {
 public:
  ChangingIndex(VectorIndex& index, const FaceRows& faces, std::span<const VectorIndex::Slot> slots)
      : index_(index), faces_(faces), slots_(slots), removed_at_(slots.size() + 1) {}

  // Searches until it is told to stop.
  void Search(uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<double> times;
    while (!done_.load()) {
      const std::vector<float> probe = faces_.Probe(NextPerson(random));
      const auto started = Clock::now();
      const Status status = SearchOnce(probe);
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - started).count());
      if (!status.ok()) return Fail(status);
    }
    const std::lock_guard lock(ended_mutex_);
    times_.insert(times_.end(), times.begin(), times.end());
  }

  // Adds and removes rows in turn, spread over the time.
  void Change(double seconds) {
    const auto started = Clock::now();
    std::mt19937_64 random(1);
    const FaceRows others(faces_.dimension(), 0.5, 2);
    std::vector<float> vector(faces_.dimension());
    for (size_t i = 0; i < kChanges; ++i) {
      std::this_thread::sleep_until(
          started + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                        seconds * static_cast<double>(i) / static_cast<double>(kChanges))));
      if (i % 2 == 0) {
        others.Make(i, vector);
        const std::lock_guard lock(mutex_);
        const Status status = index_.Reserve(1);
        if (!status.ok()) return Fail(status);
        index_.Add(slots_.size() + i + 1, slots_.size() + i + 1, vector);
      } else {
        Remove(random() % slots_.size());
      }
      ++changes_;
    }
  }

  void Stop() { done_.store(true); }

  StatusOr<SearchChanges> Sum() {
    FACEGATE_RETURN_IF_ERROR(failure_);
    std::sort(times_.begin(), times_.end());
    const auto at = [&](double share) {
      return times_.empty()
                 ? 0.0
                 : times_[static_cast<size_t>(share * static_cast<double>(times_.size()))];
    };
    return SearchChanges{.searches = times_.size(),
                         .changes = changes_,
                         .p50_ms = at(0.5),
                         .p99_ms = at(0.99),
                         .wrong = wrong_.load()};
  }

 private:
  // Half of the time one whose row was removed lately.
  uint64_t NextPerson(std::mt19937_64& random) {
    const size_t last = last_removed_.load();
    const bool is_known = last > 0 && random() % 2 == 0;
    return FaceRows::PersonOf(is_known ? last - 1 : random() % slots_.size());
  }

  Status SearchOnce(std::span<const float> probe) {
    std::unique_ptr<IndexView> view;
    uint64_t removals = 0;
    {
      const std::shared_lock lock(mutex_);
      FACEGATE_ASSIGN_OR_RETURN(view, index_.View());
      removals = removals_.load();
    }
    FACEGATE_ASSIGN_OR_RETURN(const auto found,
                              view->Search(std::span(&probe, 1), {.k = kMatches}));
    for (const IndexMatch& match : found.front()) {
      if (match.template_id > slots_.size()) continue;
      const uint64_t removed_at = removed_at_[match.template_id].load();
      if (removed_at != 0 && removed_at <= removals) wrong_.fetch_add(1);
    }
    return OkStatus();
  }

  void Remove(size_t row) {
    if (removed_at_[row + 1].load() != 0) return;
    const std::lock_guard lock(mutex_);
    index_.Remove(slots_[row]);
    removed_at_[row + 1].store(removals_.fetch_add(1) + 1);
    last_removed_.store(row + 1);
  }

  void Fail(const Status& status) {
    const std::lock_guard lock(ended_mutex_);
    if (failure_.ok()) failure_ = status;
  }

  std::shared_mutex mutex_;  // of the index
  VectorIndex& index_;
  const FaceRows& faces_;
  const std::span<const VectorIndex::Slot> slots_;
  std::atomic<uint64_t> removals_{0};
  std::atomic<size_t> last_removed_{0};            // a template id; 0: none
  std::vector<std::atomic<uint64_t>> removed_at_;  // by template id: which removal it was
  std::atomic<bool> done_{false};
  std::atomic<uint64_t> wrong_{0};
  uint64_t changes_ = 0;

  std::mutex ended_mutex_;
  Status failure_;
  std::vector<double> times_;
};

}  // namespace

StatusOr<SearchChanges> SearchWhileItChanges(VectorIndex& index, const FaceRows& faces,
                                             std::span<const VectorIndex::Slot> slots,
                                             double seconds) {
  ChangingIndex changing(index, faces, slots);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kThreads; ++i) threads.emplace_back([&, i] { changing.Search(i + 10); });
    changing.Change(seconds);
    changing.Stop();
  }
  return changing.Sum();
}

}  // namespace facegate
