#pragma once

#include <string>

#include "face/base/status.h"

namespace facegate {

// Writes the files that TensorBoard's Projector loads: PREFIX.vectors.tsv with the numbers of a
// row in each line, and PREFIX.metadata.tsv with the name of each row and its identity, which is
// the folder that the photo is in ("-" without one). `npy` is a matrix of float32 and `names` a
// text file with the name of each row, as `embed` writes them; rows of NaN are left out. Returns
// how many rows were written. kInvalidArgument where the two do not fit together.
StatusOr<size_t> WriteProjectorFiles(const std::string& npy, const std::string& names,
                                     const std::string& prefix);

}  // namespace facegate
