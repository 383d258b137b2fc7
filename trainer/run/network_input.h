#pragma once

#include <cstddef>
#include <vector>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "trainer/photos/dataset.h"

namespace facegate {

// A photo of a set as a network takes it, unchanged otherwise. An error names the photo: it cannot
// be read, or is no crop of the template.
StatusOr<std::vector<float>> NetworkInputOf(const Dataset& photos, size_t photo,
                                            const Preprocessing& preprocessing);

}  // namespace facegate
