#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "index/rows/follow_thread.h"
#include "index/rows/row_finder.h"

namespace facegate {

// How an approximate finder finds.
enum class ApproximateKind {
  kHnsw,  // a graph of neighbours (Malkov and Yashunin, 2016; FAISS's HNSW)
  kIvf,   // lists of what is nearest to one of many centres (Sivic and Zisserman, 2003), which are
          // found by k-means (Lloyd, 1982)
};

struct ApproximateOptions {
  // Where it would look through fewer rows it looks through none: a scan is as fast.
  size_t least_rows = 200'000;
  // It looks harder until so many of the 10 best rows are found, measured near rows of the index.
  double wanted_recall = 0.99;
  // How long it waits after rows could not be taken in, if none of them moves or goes.
  std::chrono::steady_clock::duration wait_after_failure = std::chrono::minutes(10);
};

// Looks where the best rows most likely are. It keeps no vectors of its own, but says where in the
// index they are (a centre is the mean of the rows of its list that are there). What it knows of
// rows that were removed it forgets when what is around them moves (VectorIndex::BeginMove). Rows
// that came later are scanned until they are many enough to be taken in. `thread` does what takes
// long, for as long as somebody else holds it.
std::shared_ptr<RowFinder> MakeApproximateFinder(ApproximateKind kind, size_t dimension,
                                                 const std::shared_ptr<FollowThread>& thread,
                                                 const ApproximateOptions& options = {});

}  // namespace facegate
