#include "face/embed/shared_passes.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <vector>

namespace facegate {
namespace {

// Tasks that wait for a helper; past it, callers do their work themselves.
constexpr size_t kMaxWaiting = 1024;

// Shared, because a helper may come when the caller has gone: it then finds nothing left to take,
// and does not touch `pass`.
struct Job {
  Job(size_t count, const std::function<Status(size_t)>& pass_to_run)
      : pass(pass_to_run), results(count), unfinished(static_cast<std::ptrdiff_t>(count)) {}

  void TakePasses() {
    for (size_t i = next++; i < results.size(); i = next++) {
      results[i] = pass(i);
      unfinished.count_down();
    }
  }

  const std::function<Status(size_t)>& pass;
  std::vector<Status> results;
  std::atomic<size_t> next = 0;
  std::latch unfinished;
};

}  // namespace

SharedPasses::SharedPasses(int helpers)
    : helpers_(helpers > 0 ? std::make_unique<ThreadPool>(helpers, kMaxWaiting) : nullptr) {}

Status SharedPasses::Run(size_t count, const std::function<Status(size_t)>& pass) {
  const auto job = std::make_shared<Job>(count, pass);
  const size_t helpers = helpers_ == nullptr || count == 0
                             ? 0
                             : std::min(static_cast<size_t>(helpers_->size()), count - 1);
  for (size_t i = 0; i < helpers; ++i) {
    // A refusal costs help, nothing else.
    if (!helpers_->Submit([job] { job->TakePasses(); }).ok()) break;
  }
  job->TakePasses();
  job->unfinished.wait();
  for (const Status& result : job->results) FACEGATE_RETURN_IF_ERROR(result);
  return OkStatus();
}

}  // namespace facegate
