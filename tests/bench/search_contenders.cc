#include "tests/bench/search_contenders.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "face/base/check.h"
#include "index/rows/exact_index.h"
#include "index/rows/search_pool.h"

// OpenBLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));
extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace facegate {
namespace {

using std::chrono::steady_clock;

constexpr int kRounds = 3;
constexpr std::chrono::milliseconds kPause{30};

}  // namespace

std::function<StatusOr<double>(double)> BurstOf(std::function<void()> work) {
  return [work = std::move(work)](double seconds) -> StatusOr<double> {
    const auto start = steady_clock::now();
    double best_ms = 1e300;
    for (auto begin = start;
         begin == start || begin - start < std::chrono::duration<double>(seconds);
         begin = steady_clock::now()) {
      work();
      const std::chrono::duration<double, std::milli> ms = steady_clock::now() - begin;
      best_ms = std::min(best_ms, ms.count());
    }
    return best_ms;
  };
}

Status TimeInTurns(std::vector<Contender>& contenders, double seconds, size_t threads) {
  for (int round = 0; round < kRounds; ++round) {
    for (Contender& contender : contenders) {
      if (threads > 1) std::this_thread::sleep_for(kPause);
      FACEGATE_ASSIGN_OR_RETURN(const double ms, contender.burst(seconds / kRounds));
      contender.best_ms = std::min(contender.best_ms, ms);
    }
  }
  return OkStatus();
}

OurSearch::OurSearch(const SearchFaces& faces, size_t threads)
    : index_(
          MakeExactIndex(faces.dimension(),
                         {.pool = threads > 1 ? std::make_shared<SearchPool>(threads) : nullptr})) {
  FACEGATE_CHECK(index_->Reserve(faces.rows()).ok());
  for (size_t row = 0; row < faces.rows(); ++row) {
    index_->Add(faces.PersonOf(row), row + 1, faces.Row(row));
  }
}

OurSearch::~OurSearch() = default;

Matches OurSearch::Search(std::span<const std::span<const float>> queries, size_t k) const {
  auto found = index_->Search(queries, k);
  FACEGATE_CHECK(found.ok());
  return *std::move(found);
}

double OurSearch::RescoredShare() {
  const SearchCounts before = std::exchange(before_, index_->counts());
  return static_cast<double>(before_.rescored - before.rescored) /
         static_cast<double>(before_.scanned - before.scanned);
}

std::string OurSearch::Kernel() { return std::string(UsableCodeKernels().front().name); }

void SetLibraryThreads(size_t threads) {
  omp_set_num_threads(static_cast<int>(threads));
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(static_cast<int>(threads));
}

void SearchFlat(const SearchFaces& faces, std::span<const float> queries, size_t k) {
  const size_t batch = queries.size() / faces.dimension();
  std::vector<float> scores(batch * k);
  std::vector<faiss::Index::idx_t> labels(batch * k);
  faces.flat().search(static_cast<faiss::Index::idx_t>(batch), queries.data(),
                      static_cast<faiss::Index::idx_t>(k), scores.data(), labels.data());
}

void MultiplyAndFindBest(const SearchFaces& faces, std::span<const float> queries) {
  constexpr size_t kAtOnce = 4096;
  constexpr float kOne = 1.0f;
  constexpr float kZero = 0.0f;
  const size_t batch = queries.size() / faces.dimension();
  std::vector<float> scores(kAtOnce * batch);
  std::vector<float> best(batch, -2.0f);
  const auto size = static_cast<int>(faces.dimension());
  const auto columns = static_cast<int>(batch);
  for (size_t begin = 0; begin < faces.rows(); begin += kAtOnce) {
    const auto some = static_cast<int>(std::min(kAtOnce, faces.rows() - begin));
    ::sgemm_("T", "N", &some, &columns, &size, &kOne, faces.Row(begin).data(), &size,
             queries.data(), &size, &kZero, scores.data(), &some);
    for (size_t q = 0; q < batch; ++q) {
      const float* const of_query = scores.data() + q * static_cast<size_t>(some);
      best[q] = std::max(best[q], *std::max_element(of_query, of_query + some));
    }
  }
  volatile float sink = best[0];
  static_cast<void>(sink);
}

void ReadOnce(std::span<const char> bytes, size_t threads) {
  const size_t share = bytes.size() / threads;
  size_t found = 0;
#pragma omp parallel for num_threads(static_cast <int>(threads)) reduction(+ : found)
  for (size_t t = 0; t < threads; ++t) {
    // The C library does this by the widest instructions that the processor has.
    found += std::memchr(bytes.data() + t * share, 0, share) == nullptr ? 0 : 1;
  }
  FACEGATE_CHECK(found == 0);
}

}  // namespace facegate
