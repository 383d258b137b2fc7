#include "index/rows/shared_card.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "face/base/log.h"

namespace facegate {
namespace {

constexpr std::chrono::milliseconds kAskEvery{2};

}  // namespace

SharedCard::SharedCard(std::unique_ptr<SearchCard> card, uint64_t budget)
    : most_wanted_(card->most_wanted()), name_(card->name()), card_(std::move(card)) {
  budget_.limit = budget;
}

std::shared_ptr<CardRows> SharedCard::MakeRows(size_t dimension) {
  const WriterLock lock(mutex_);
  return {new CardRows(dimension, *card_, budget_), [this](CardRows* rows) {
            const WriterLock going(mutex_);
            delete rows;
          }};
}

void SharedCard::SetFull() {
  if (is_full_.exchange(true)) return;
  LogWarning(
      "the memory for rows on {} is full: what has no place there is searched on the CPU "
      "(index_device_memory_mb says how much there may be)",
      name_);
}

void SharedCard::Fail(const Status& status) {
  if (has_failed_.exchange(true)) return;
  LogError("{} is not asked any more, and all searches are made on the CPU: {}", name_,
           MessageOf(status));
}

CardSearch::Counts SharedCard::counts() {
  const ReaderLock lock(mutex_);
  return {.rows = budget_.rows,
          .bytes = budget_.bytes,
          .queries = queries_.load(),
          .passes = passes_.load(),
          .is_full = is_full_.load(),
          .has_failed = has_failed_.load()};
}

StatusOr<std::shared_ptr<const CardPass>> SharedCard::Search(
    const std::shared_ptr<CardRequest>& request, const StopCheck& stop) {
  if (has_failed_.load()) return std::shared_ptr<const CardPass>();
  {
    const MutexLock lock(queue_mutex_);
    if (closed_) return std::shared_ptr<const CardPass>();
    waiting_.push_back(request);
  }
  work_.NotifyOne();
  for (;;) {
    {
      const MutexLock lock(queue_mutex_);
      if (!request->done) {
        request->changed.WaitUntil(queue_mutex_, std::chrono::steady_clock::now() + kAskEvery);
      }
      if (request->done) return request->pass;
    }
    const Status wanted = Ask(stop);
    if (wanted.ok()) continue;
    const MutexLock lock(queue_mutex_);
    std::erase(waiting_, request);
    return wanted;
  }
}

void SharedCard::Close() {
  {
    const MutexLock lock(queue_mutex_);
    closed_ = true;
  }
  work_.NotifyAll();
}

// The first who waits, and who else waits for the same index.
std::vector<std::shared_ptr<CardRequest>> SharedCard::TakeWaiting() {
  const MutexLock lock(queue_mutex_);
  while (!closed_ && waiting_.empty()) work_.Wait(queue_mutex_);
  std::vector<std::shared_ptr<CardRequest>> taken;
  std::deque<std::shared_ptr<CardRequest>> left;
  size_t queries = 0;
  for (auto& request : waiting_) {
    const bool is_taken =
        taken.empty() || (request->rows == taken.front()->rows &&
                          queries + request->queries() <= SearchCard::kMostQueries);
    if (is_taken) queries += request->queries();
    (is_taken ? taken.emplace_back() : left.emplace_back()) = std::move(request);
  }
  waiting_ = std::move(left);
  return taken;
}

std::shared_ptr<const CardPass> SharedCard::Look(
    const std::vector<std::shared_ptr<CardRequest>>& requests) {
  const auto pass = std::make_shared<CardPass>();
  std::vector<uint16_t> halves;
  size_t wanted = 0;
  for (const auto& request : requests) {
    halves.insert(halves.end(), request->halves.begin(), request->halves.end());
    wanted = std::max(wanted, request->wanted);
  }
  const CardRows& rows = *requests.front()->rows;
  const WriterLock lock(mutex_);
  if (has_failed_.load()) return nullptr;
  pass->layout = rows.layout();
  const std::vector<SearchCard::Part> parts = rows.parts();
  if (parts.empty()) return nullptr;
  for (const SearchCard::Part& part : parts) pass->rows.push_back(part.rows);
  auto best = card_->Search(parts, halves, requests.front()->dimension, wanted);
  if (!best.ok()) {
    // Room for a search may be there the next time.
    if (best.status().code() != StatusCode::kResourceExhausted) Fail(best.status());
    return nullptr;
  }
  pass->best = *std::move(best);
  queries_.fetch_add(halves.size() / requests.front()->dimension);
  passes_.fetch_add(1);
  return pass;
}

void SharedCard::Serve() {
  for (;;) {
    std::vector<std::shared_ptr<CardRequest>> requests;
    std::shared_ptr<const CardPass> pass;
    try {
      requests = TakeWaiting();
      if (!requests.empty()) pass = Look(requests);
    } catch (...) {
      // There is no memory: who waits goes to the CPU.
    }
    const MutexLock lock(queue_mutex_);
    size_t first_query = 0;
    const auto answer = [&](CardRequest& request) {
      request.pass = pass;
      request.first_query = first_query;
      first_query += request.queries();
      request.done = true;
      request.changed.NotifyOne();
    };
    for (const auto& request : requests) answer(*request);
    if (!closed_ && !(requests.empty() && !waiting_.empty())) continue;
    // The end, or no memory to take anybody out of the queue.
    pass = nullptr;
    for (const auto& request : waiting_) answer(*request);
    waiting_.clear();
    if (closed_) return;
  }
}

}  // namespace facegate
