#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "index/rows/card/search_card.h"
#include "index/rows/row_finder.h"

namespace facegate {

// Searches on one card, for all indexes of a gallery: it holds their rows in half precision, as far
// as they fit, and one thread looks through them for all callers who wait. Thread-safe.
class CardSearch {
 public:
  struct Options {
    uint64_t budget = 0;  // bytes of the card that rows take at most
    // An index with fewer rows is scanned: that is as fast.
    size_t least_rows = 16'384;
  };
  static StatusOr<std::unique_ptr<CardSearch>> Start(std::unique_ptr<SearchCard> card,
                                                     const Options& options);
  virtual ~CardSearch() = default;

  // Its rows are on the card once it was told of them. It may outlive this, and looks through
  // nothing then.
  virtual std::shared_ptr<RowFinder> MakeFinder(size_t dimension) = 0;

  // SearchCard::name().
  virtual std::string name() const = 0;
  struct Counts {
    uint64_t rows = 0;        // on the card
    uint64_t bytes = 0;       // that are taken there
    uint64_t rows_left = 0;   // that have no room there, and are scanned on the CPU
    uint64_t queries = 0;     // that the card has looked through its rows for
    uint64_t passes = 0;      // in so many passes
    uint64_t refused = 0;     // passes for which the card had no memory
    bool has_failed = false;  // the card gave an error, and is not asked any more
  };
  virtual Counts counts() const = 0;
  // Until everything is on the card that was told; for tests.
  virtual void AwaitIdle() = 0;
};

}  // namespace facegate
