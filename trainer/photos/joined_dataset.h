#pragma once

#include <memory>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"

namespace facegate {

// Several datasets as one: photos and labels of the second come after those of the first, so that
// nobody of one is taken for somebody of another; what has no label stays so. kInvalidArgument for
// none, or for more labels than 32 bits count.
StatusOr<std::unique_ptr<Dataset>> JoinDatasets(std::vector<std::unique_ptr<Dataset>> parts);

}  // namespace facegate
