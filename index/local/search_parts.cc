#include "index/local/search_parts.h"

#include <algorithm>
#include <thread>

#include "face/base/catch.h"

namespace facegate {

void SearchParts::CountInto(GalleryStats& stats) const {
  if (card == nullptr) return;
  stats.search_device = card->name();
  stats.rows_on_card += card->counts().rows;
}

size_t ThreadsFor(size_t wanted) {
  return wanted > 0 ? wanted : std::max<size_t>(1, std::thread::hardware_concurrency());
}

StatusOr<SearchParts> OpenSearchParts(size_t threads, const CardChoice& card,
                                      const ApproximateOptions& approximate) {
  return CatchToStatus("opening the gallery", [&]() -> StatusOr<SearchParts> {
    SearchParts parts;
    // A single thread would do no more than the one that searches.
    if (const size_t count = ThreadsFor(threads); count > 1) {
      parts.pool = std::make_shared<SearchPool>(count);
    }
    FACEGATE_ASSIGN_OR_RETURN(parts.card, OpenCard(card));
    parts.follow = std::make_shared<FollowThread>();
    parts.approximate = approximate;
    return parts;
  });
}

std::shared_ptr<RowFinder> MakeFinder(const SearchParts& parts, SearchKind kind, size_t dimension) {
  switch (kind) {
    case SearchKind::kHnsw:
      return MakeApproximateFinder(ApproximateKind::kHnsw, dimension, parts.follow,
                                   parts.approximate);
    case SearchKind::kIvf:
      return MakeApproximateFinder(ApproximateKind::kIvf, dimension, parts.follow,
                                   parts.approximate);
    case SearchKind::kExact:
      break;
  }
  return parts.card == nullptr ? nullptr : parts.card->MakeFinder(dimension);
}

}  // namespace facegate
