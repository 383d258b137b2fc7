#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "face/base/status.h"
#include "index/store/store_database.h"

namespace facegate {

struct TakeoverOptions {
  size_t batch_bytes = size_t{4} << 20;  // of values; one batch is held in memory
  // Called before each batch is written; an error breaks the take-over off.
  std::function<Status()> before_batch = {};
};

// Puts the templates of a store of format `version`, which is before 4, under keys with their
// generation, which is 0, each instead of the row that it had. A store with some of either kind is
// as good as one before the first batch. kStoreFull tells how much room is wanted.
Status TakeOverTemplates(StoreDatabase& database, uint32_t version, const TakeoverOptions& options);

}  // namespace facegate
