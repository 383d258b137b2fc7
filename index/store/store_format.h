#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "index/store/key_codec.h"
#include "index/store/store_batch.h"
#include "index/store/store_database.h"
#include "index/store/store_takeover.h"

namespace facegate {

// As FORMAT.md specifies it.
inline constexpr uint32_t kFormatVersion = 4;

// Gives the database this program's format: begins a store in an empty one, takes over one of an
// earlier format, goes on where that was broken off. kFailedPrecondition when it has a later one.
Status PrepareFormat(StoreDatabase& database, const TakeoverOptions& options = {});

// The next number that may be given out. The format is there.
StatusOr<uint64_t> ReadCounters(const StoreDatabase& database);

// The marks of families in which something is still to be erased.
std::string EraseMarkOf(Family family);
Status PutEraseMarks(const std::vector<Family>& families, StoreBatch& batch);
StatusOr<std::vector<Family>> ReadEraseMarks(const StoreDatabase& database);

}  // namespace facegate
