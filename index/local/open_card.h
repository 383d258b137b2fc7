#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "face/base/status.h"
#include "index/rows/card/card_search.h"
#include "index/rows/card/search_card.h"

namespace facegate {

using CardOpener = std::function<StatusOr<std::unique_ptr<SearchCard>>(int number)>;

// Where searches are to run.
struct CardChoice {
  // "cpu"; "cuda:N", the card of that number ("cuda" is "cuda:0"); or "auto", the first card of a
  // build for GPUs, and the CPU where that cannot be used.
  std::string device = "cpu";
  // Of the card's memory, at most; 0: 70 % of what is free.
  uint64_t bytes = 0;
  // An index with fewer rows is scanned on the CPU.
  size_t least_rows = CardSearch::Options{}.least_rows;
  // Null: what the module kSearchCardModule has, in a build for GPUs.
  CardOpener open = nullptr;
};

// The search on that card; null where the CPU searches. The log tells where searches run, and why
// "auto" does not take a card that it has tried. kInvalidArgument for a device that there is not,
// kFailedPrecondition for "cuda:N" that cannot be used; both name index_device.
StatusOr<std::shared_ptr<CardSearch>> OpenCard(const CardChoice& choice);

}  // namespace facegate
