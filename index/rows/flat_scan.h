#pragma once

#include <memory>

#include "index/rows/row_scan.h"
#include "index/rows/row_table.h"

namespace facegate {

// Reads the rows in float32 with FAISS's kernel. Vectors are unit vectors. `rows` must outlive it.
std::unique_ptr<RowScan> MakeFlatScan(const RowTable& rows);

}  // namespace facegate
