#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/pair_set.h"

// The .bin files in which InsightFace hands its verification sets round (recognition/arcface_torch,
// eval/verification.py: load_bin): a Python pickle of (pictures, same), where pictures are encoded
// ones (JPEG or PNG), two for each truth value. A picture is bytes, or one row of numpy uint8; a
// truth value is a bool, 0 or 1, or a numpy.bool_, and all of them may be one row of numpy.bool_.
// Python 2 and 3 write such pickles with protocols 2 to 5. The pickle is not executed.
namespace facegate {

// The bytes of a picture: a part of the pickle.
struct PickledPicture {
  std::string_view bytes;
  // The pickle has them as UTF-8 of the characters U+0000 to U+00FF, as protocol 2 writes bytes.
  bool is_text = false;
};

struct PickledPairs {
  std::vector<PickledPicture> pictures;
  std::vector<bool> same;  // one for two pictures
};

// True when a file begins as a pickle of these protocols does.
bool LooksLikePickle(std::string_view start);

// kInvalidArgument, saying what is wrong, for anything else, and for more than two million
// pictures. Allocates no more than a few times what the bytes are.
StatusOr<PickledPairs> ParsePickledPairs(std::string_view bytes);

// The encoded picture. kInvalidArgument where the text has characters that are no bytes.
StatusOr<std::string> BytesOf(const PickledPicture& picture);

bool SniffPickledPairs(const DatasetCandidate& candidate);
// Pictures of another size than TrainingCropSize() are resized to it where they are square; others
// are an error, as they are in InsightFace.
StatusOr<PairSet> OpenPickledPairs(const std::string& path);

}  // namespace facegate
