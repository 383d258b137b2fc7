#include "index/rows/card/shared_card.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "face/base/log.h"

namespace facegate {
namespace {

constexpr std::chrono::milliseconds kAskEvery{2};
// Rows of one slab that a pass has as its result: 8 MB.
constexpr size_t kMostResults = size_t{1} << 20;

// How many queries that want so many rows each are looked for together.
size_t MostQueries(size_t wanted) {
  return std::min(SearchCard::kMostQueries, kMostResults / wanted);
}

}  // namespace

SharedCard::SharedCard(std::unique_ptr<SearchCard> card, const CardSearch::Options& options)
    : options_(options),
      most_wanted_(card->most_wanted()),
      name_(card->name()),
      budget_(options.budget),
      card_(std::move(card)) {}

std::shared_ptr<CardRows> SharedCard::MakeRows(size_t dimension) {
  return {new CardRows(dimension, *card_, budget_), [this](CardRows* rows) {
            const WriterLock going(mutex_);
            delete rows;
          }};
}

void SharedCard::CountLeft(uint64_t before, uint64_t now) {
  const uint64_t all = budget_.rows_left += now - before;
  if (before > 0 || now == 0 || all > now) return;
  LogWarning(
      "the memory for templates on {} is full: what has no place there is searched on the CPU "
      "(index_device_memory_mb says how much there may be)",
      name_);
}

void SharedCard::Fail(const Status& status) {
  if (has_failed_.exchange(true)) return;
  LogError("{} is not asked any more, and all searches are made on the CPU: {}", name_,
           MessageOf(status));
}

CardSearch::Counts SharedCard::counts() const {
  return {.rows = budget_.rows.load(),
          .bytes = budget_.bytes.load(),
          .rows_left = budget_.rows_left.load(),
          .queries = queries_.load(),
          .passes = passes_.load(),
          .refused = refused_.load(),
          .has_failed = has_failed_.load()};
}

StatusOr<std::shared_ptr<const CardPass>> SharedCard::Search(
    const std::shared_ptr<CardRequest>& request, const StopCheck& stop) {
  {
    const MutexLock lock(queue_mutex_);
    if (is_away()) return std::shared_ptr<const CardPass>();
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
    is_closed_.store(true);
  }
  work_.NotifyAll();
}

// The first who waits, and who else wants the same of the same index.
std::vector<std::shared_ptr<CardRequest>> SharedCard::TakeWaiting() {
  const MutexLock lock(queue_mutex_);
  while (!is_closed_.load() && waiting_.empty()) work_.Wait(queue_mutex_);
  std::vector<std::shared_ptr<CardRequest>> taken;
  taken.reserve(waiting_.size());
  size_t queries = 0;
  for (const auto& request : waiting_) {
    if (!taken.empty() &&
        (request->rows != taken.front()->rows || request->wanted != taken.front()->wanted ||
         queries + request->queries() > MostQueries(request->wanted))) {
      continue;
    }
    queries += request->queries();
    taken.push_back(request);
  }
  std::erase_if(waiting_, [&](const auto& request) {
    return std::find(taken.begin(), taken.end(), request) != taken.end();
  });
  return taken;
}

std::shared_ptr<const CardPass> SharedCard::Look(
    const std::vector<std::shared_ptr<CardRequest>>& requests) {
  const auto pass = std::make_shared<CardPass>();
  const size_t dimension = requests.front()->dimension;
  size_t queries = 0;
  for (const auto& request : requests) queries += request->queries();
  WipedHalves halves(queries * dimension);
  size_t at = 0;
  for (const auto& request : requests) {
    const auto from = request->halves.First(request->halves.size());
    std::copy(from.begin(), from.end(), halves.Part(at, from.size()).begin());
    at += from.size();
  }
  const CardRows& rows = *requests.front()->rows;
  const WriterLock lock(mutex_);
  if (is_away()) return nullptr;
  pass->layout = rows.layout();
  const std::vector<SearchCard::Part> parts = rows.parts();
  if (parts.empty()) return nullptr;
  for (const SearchCard::Part& part : parts) pass->rows.push_back(part.rows);
  auto best =
      card_->Search(parts, halves.First(halves.size()), dimension, requests.front()->wanted);
  if (!best.ok()) {
    // Room for a search may be there the next time.
    if (best.status().code() != StatusCode::kResourceExhausted) {
      Fail(best.status());
    } else if (refused_.fetch_add(1) == 0) {
      LogWarning("{} has too little memory for a search, which is made on the CPU: {}", name_,
                 MessageOf(best.status()));
    }
    return nullptr;
  }
  pass->best = *std::move(best);
  queries_.fetch_add(queries);
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
    if (!is_closed_.load() && !(requests.empty() && !waiting_.empty())) continue;
    // The end, or no memory to take anybody out of the queue.
    pass = nullptr;
    for (const auto& request : waiting_) answer(*request);
    waiting_.clear();
    if (is_closed_.load()) return;
  }
}

}  // namespace facegate
