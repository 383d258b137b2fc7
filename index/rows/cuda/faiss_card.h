#pragma once

#include <memory>

#include "face/base/status.h"
#include "index/rows/card/search_card.h"

namespace facegate {

// The card with that number (see OpenSearchCard): cuBLAS makes the products, and FAISS finds the
// best of them (row_ranking.h). kFailedPrecondition with what is missing where it cannot be used.
// It takes some hundred megabytes of the card at once, and little more when it searches.
//
// Where CUDA says no, a call says so. FAISS ends the process where a kernel cannot be launched, so
// before it is asked everything else has been, in the same call, and what its kernels do is waited
// for here.
StatusOr<std::unique_ptr<SearchCard>> OpenFaissCard(int number);

}  // namespace facegate
