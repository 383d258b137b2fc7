#pragma once

#include <cstddef>
#include <memory>

#include "index/rows/code_kernels.h"
#include "index/rows/search_pool.h"
#include "index/rows/vector_index.h"

namespace facegate {

struct ExactIndexOptions {
  // The threads that scan; shared by the indexes of a gallery. Null: those that search.
  std::shared_ptr<SearchPool> pool = nullptr;
  // How rows are picked: from codes by this kernel, or in float32 by FAISS, which is the way for
  // vectors too long for codes. Null: by the fastest kernel that the processor has.
  const CodeKernel* kernel = nullptr;
  bool use_faiss = false;
};

// Rows lie in segments that never move while they are read. A search bounds the scores of all of
// them (row_scan.h), picks those that can be in the answer (candidate_selection.h), and scores
// these by CosineScore().
std::unique_ptr<VectorIndex> MakeExactIndex(size_t dimension,
                                            const ExactIndexOptions& options = {});

}  // namespace facegate
