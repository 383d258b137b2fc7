#pragma once

#include <cstddef>
#include <memory>

#include "index/rows/code_kernels.h"
#include "index/rows/vector_index.h"

namespace facegate {

struct ExactIndexOptions {
  // How many threads a search may use where there is enough to read for each; the calling thread is
  // one of them. Searches at the same time share them, but each has its own.
  size_t threads = 1;
  // How rows are picked: from codes by this kernel, or in float32 by FAISS, which is the way for
  // vectors too long for codes. Null: by the fastest kernel that the processor has.
  const CodeKernel* kernel = nullptr;
  bool use_faiss = false;
};

// Rows lie in segments that never move. A search bounds the scores of all of them (row_scan.h),
// picks those that can be in the answer (candidate_selection.h), and scores these by CosineScore().
std::unique_ptr<VectorIndex> MakeExactIndex(size_t dimension,
                                            const ExactIndexOptions& options = {});

}  // namespace facegate
