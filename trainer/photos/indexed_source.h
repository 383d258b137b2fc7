#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trainer/photos/dense_labels.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

// What sources whose photos lie within other files have in common: labels and remarks are known
// once the file is open. Who derives from it reads the photos where they lie.
class IndexedSource : public PhotoSource {
 public:
  size_t size() const override { return labels_.labels.size(); }
  const std::vector<std::string>& classes() const override { return labels_.classes; }
  uint32_t label(size_t i) const override { return labels_.labels[i]; }
  std::vector<std::string> remarks() const override { return remarks_; }

 protected:
  IndexedSource(DenseLabels labels, std::vector<std::string> remarks)
      : labels_(std::move(labels)), remarks_(std::move(remarks)) {}

 private:
  const DenseLabels labels_;
  const std::vector<std::string> remarks_;
};

}  // namespace facegate
