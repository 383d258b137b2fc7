#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "index/rows/row_scan.h"

namespace facegate {

// Reads the rows in float32 with FAISS's kernel: what other scans are compared with, and the way
// for vectors that are too long for codes. Vectors are unit vectors.
std::unique_ptr<RowScan> MakeFlatScan(size_t dimension);

}  // namespace facegate
