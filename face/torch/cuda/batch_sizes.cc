#include "face/torch/cuda/batch_sizes.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "face/base/log.h"

namespace facegate {
namespace {

constexpr std::array kBatchSizes = {1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256};

}  // namespace

std::vector<int> BatchSizesUpTo(int most) {
  std::vector<int> sizes;
  std::copy_if(kBatchSizes.begin(), kBatchSizes.end(), std::back_inserter(sizes),
               [most](int size) { return size < most; });
  sizes.push_back(most);
  return sizes;
}

StatusOr<int> RecordWhatFits(const std::vector<int>& sizes,
                             const std::function<Status(int)>& record) {
  int largest = 0;
  for (const int size : sizes) {
    const Status recorded = record(size);
    if (recorded.code() == StatusCode::kResourceExhausted && largest > 0) {
      LogWarning("the card's memory holds batches of up to {} faces, not of {}", largest,
                 sizes.back());
      break;
    }
    FACEGATE_RETURN_IF_ERROR(recorded);
    largest = size;
  }
  return largest;
}

}  // namespace facegate
