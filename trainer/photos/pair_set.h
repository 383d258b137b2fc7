#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/dataset_format.h"

// Sets of pairs whose pictures come with them: the form in which LFW, CFP-FP, AgeDB-30, CALFW,
// CPLFW and others are handed round. A list of pairs (pair_file.h) names photos instead.
namespace facegate {

struct PicturePair {
  size_t first = 0;  // numbers in PairSet::pictures
  size_t second = 0;
  bool same = false;
};

struct PairSet {
  std::string name;  // that of its file or folder: "lfw"
  // Aligned crops of TrainingCropSize(), of nobody in particular.
  std::shared_ptr<const Dataset> pictures;
  std::vector<PicturePair> pairs;  // in the order of the set
};

// The pairs of pictures 0 and 1, 2 and 3 ... that all formats below have. kInvalidArgument unless
// there are two pictures for each.
StatusOr<std::vector<PicturePair>> PairsInOrder(size_t pictures, const std::vector<bool>& same);

// Each format is a row of a table and a file that recognises and opens it.
struct PairSetFormat {
  std::string_view name;
  bool (*sniff)(const DatasetCandidate& candidate);
  // Errors name the set and what is wrong with it. Pictures are read when they are asked for.
  StatusOr<PairSet> (*open)(const std::string& path);
};
std::span<const PairSetFormat> PairSetFormats();

// The format of the set at `path`; null where it is none of these: a list, say. kInvalidArgument,
// naming the sets, where it is a folder that holds such sets; kNotFound where nothing is.
StatusOr<const PairSetFormat*> FormatOfPairSet(const std::string& path);

}  // namespace facegate
