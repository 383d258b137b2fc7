#pragma once

#include <cstddef>
#include <memory>

#include "index/vector_index.h"

namespace facegate {

// Rows lie in FAISS flat indexes, in segments that never move; a search reads all of them on the
// calling thread.
std::unique_ptr<VectorIndex> MakeFlatIndex(size_t dimension);

}  // namespace facegate
