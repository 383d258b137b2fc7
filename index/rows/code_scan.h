#pragma once

#include <cstddef>
#include <memory>

#include "index/rows/code_kernels.h"
#include "index/rows/row_scan.h"

namespace facegate {

// Keeps a code of each row beside the rows (vector_code.h): a byte a value, a scale and the norm of
// what is left over. A scan reads the codes, a quarter of what the rows take. Rows are encoded a
// whole block at a time; the last ones, which are no block yet, are read in float32. The dimension
// is at most kLargestCodedDimension; vectors are any.
std::unique_ptr<RowScan> MakeCodeScan(size_t dimension, const CodeKernel& kernel);

}  // namespace facegate
