#include "trainer/data/dataset.h"

#include <utility>

#include "trainer/data/photo_source.h"

namespace facegate {

std::unique_ptr<Dataset> MakeListDataset(ImageList list) {
  return MakeDecodedDataset(MakeListSource(std::move(list), ""));
}

}  // namespace facegate
