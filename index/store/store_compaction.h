#pragma once

#include <atomic>
#include <cstdint>

#include "face/base/status.h"
#include "index/store/key_range.h"
#include "index/store/store_database.h"

namespace facegate {

// Rewrites the tables of `database` with keys of `erased`, so that the bytes of what was deleted or
// overwritten there are in no file. kUnavailable soon after `canceled`, which may be null, became
// true.
Status CompactRanges(StoreDatabase& database, const ErasedKeys& erased,
                     std::atomic<bool>* canceled);

// About how many bytes that would write now.
uint64_t BytesToCompact(const StoreDatabase& database, const ErasedKeys& erased);

}  // namespace facegate
