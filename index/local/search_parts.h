#pragma once

#include <cstddef>
#include <memory>

#include "face/base/status.h"
#include "index/local/open_card.h"
#include "index/rows/approximate/approximate_finder.h"
#include "index/rows/card/card_search.h"
#include "index/rows/follow_thread.h"
#include "index/rows/row_finder.h"
#include "index/rows/search_pool.h"
#include "index/values.h"

namespace facegate {

// What the collections of a gallery share to search.
struct SearchParts {
  std::shared_ptr<SearchPool> pool = nullptr;      // null: the threads that search
  std::shared_ptr<CardSearch> card = nullptr;      // null: no card searches
  std::shared_ptr<FollowThread> follow = nullptr;  // of approximate finders; never null with them
  ApproximateOptions approximate{};

  // Adds what there is of the card.
  void CountInto(GalleryStats& stats) const;
};

// One for each core where `wanted` is 0.
size_t ThreadsFor(size_t wanted);

// The parts with `threads` (ThreadsFor()) for one search. What OpenCard() says where it fails.
StatusOr<SearchParts> OpenSearchParts(size_t threads, const CardChoice& card,
                                      const ApproximateOptions& approximate);

// The finder of an index of vectors of that length; null: the index is scanned.
std::shared_ptr<RowFinder> MakeFinder(const SearchParts& parts, SearchKind kind, size_t dimension);

}  // namespace facegate
