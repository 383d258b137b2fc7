#pragma once

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
  // Below so many rows it does not begin: a scan is faster.
  size_t least_rows = 20'000;
  // It looks harder until so many of the 10 best rows are found, measured on rows of the index.
  double wanted_recall = 0.99;
};

// Looks where the best rows most likely are. It keeps no vectors of its own, but says where in the
// index they are (a centre is the mean of the rows of its list that are there). What it knows of
// rows that were removed it forgets when what is around them moves (VectorIndex::BeginMove). Rows
// that came later are scanned until they are many enough to be taken in. `thread` does what takes
// long, for as long as somebody else holds it.
std::shared_ptr<RowFinder> MakeApproximateFinder(ApproximateKind kind, size_t dimension,
                                                 std::shared_ptr<FollowThread> thread,
                                                 const ApproximateOptions& options = {});

}  // namespace facegate
