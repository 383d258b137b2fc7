#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/pair_set.h"

// The sets of pairs that AdaFace keeps for mapping into memory (mk-minchul/AdaFace,
// evaluate_utils.py: get_val_pair): NAME/memfile/mem_file.dat, the bare values of the array of
// float_pairs.h, and beside it mem_file.dat.conf, a JSON object with "shape" and "dtype".
namespace facegate {

// The pictures that such a description announces. kInvalidArgument for other texts and arrays.
StatusOr<size_t> ParseMemfileConf(std::string_view json);

// True of the folder NAME, the folder NAME/memfile, the file of the values and its description.
bool SniffMemfilePairs(const DatasetCandidate& candidate);
StatusOr<PairSet> OpenMemfilePairs(const std::string& path);

}  // namespace facegate
