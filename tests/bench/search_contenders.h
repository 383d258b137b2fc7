#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/rows/vector_index.h"
#include "tests/bench/search_faces.h"

namespace facegate {

// One search: the first probes, together.
struct SearchCase {
  size_t k = 0;
  size_t batch = 0;
  size_t threads = 0;
};

// One way to search. A burst does it again and again for about as long, once at least, and says how
// many milliseconds the shortest took.
struct Contender {
  std::string name;
  std::function<StatusOr<double>(double seconds)> burst;
  double best_ms = 1e300;
};

// A burst of what does not fail.
std::function<StatusOr<double>(double)> BurstOf(std::function<void()> work);

// In turns, so that what else the machine does meets all; `seconds` for each contender together.
// Where several threads are used there is a pause before each turn, in which the threads of the one
// before stop to wait for more work.
Status TimeInTurns(std::vector<Contender>& contenders, double seconds, size_t threads);

// All that the bench needs of the index.
class OurSearch {
 public:
  OurSearch(const SearchFaces& faces, size_t threads);
  ~OurSearch();

  Matches Search(std::span<const std::span<const float>> queries, size_t k) const;
  // Of the rows scanned since the call before, the share that was scored again.
  double RescoredShare();
  static std::string Kernel();

 private:
  std::unique_ptr<VectorIndex> index_;
  SearchCounts before_;
};

// FAISS as the distribution packages it, and a matrix product in blocks with the maximum of each.
void SetLibraryThreads(size_t threads);
void SearchFlat(const SearchFaces& faces, std::span<const float> queries, size_t k);
void MultiplyAndFindBest(const SearchFaces& faces, std::span<const float> queries);
// Reads memory once, as much by each thread. No byte is 0.
void ReadOnce(std::span<const char> bytes, size_t threads);

}  // namespace facegate
