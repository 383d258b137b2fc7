#pragma once

#include <cstddef>
#include <memory>

#include "index/rows/card/shared_card.h"
#include "index/rows/follow_thread.h"
#include "index/rows/row_finder.h"

namespace facegate {

// Looks through the rows of one index that are on the card: in half precision, with a bound of how
// far that is off (half.h). `thread` puts rows there.
std::shared_ptr<RowFinder> MakeCardFinder(size_t dimension, std::shared_ptr<SharedCard> card,
                                          std::shared_ptr<FollowThread> thread);

}  // namespace facegate
