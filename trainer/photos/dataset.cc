#include "trainer/photos/dataset.h"

#include <utility>

#include "trainer/photos/photo_source.h"

namespace facegate {

std::unique_ptr<Dataset> MakeListDataset(ImageList list) {
  return MakeDecodedDataset(MakeListSource(std::move(list), ""));
}

}  // namespace facegate
