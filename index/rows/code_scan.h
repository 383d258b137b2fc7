#pragma once

#include <memory>

#include "index/rows/code_kernels.h"
#include "index/rows/row_scan.h"
#include "index/rows/row_table.h"

namespace facegate {

// Keeps a code of each row beside the rows (vector_code.h): a byte a value, a scale and the norm of
// what is left over. A scan reads the codes, a quarter of what the rows take. The dimension is at
// most kLargestCodedDimension; vectors are any. `rows` must outlive it.
std::unique_ptr<RowScan> MakeCodeScan(const RowTable& rows, const CodeKernel& kernel);

}  // namespace facegate
