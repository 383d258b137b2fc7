#pragma once

#include <cstddef>

#include "face/base/status.h"
#include "index/local/collection.h"

namespace facegate {

// Builds the collections of a gallery from everything that its store holds, on `threads` threads.
// kStoreCorrupt, naming the record by its numbers, for bytes that do not check and for records that
// do not fit together: an owner that is missing, an id given twice, a template of another model.
// Templates of another generation than their collection's are left out; the log tells it once.
StatusOr<Collections> LoadCollections(const GalleryParts& parts, size_t threads);

}  // namespace facegate
