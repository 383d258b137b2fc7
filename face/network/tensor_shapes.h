#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/network/describe_tensors.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

namespace facegate::network {

// The shapes of the tensors under a prefix, as the families ask for them. `tensors` outlives it.
class TensorShapes {
 public:
  TensorShapes(const TensorMap& tensors, std::string_view prefix)
      : tensors_(tensors), prefix_(prefix) {}

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // 0 where there is no such tensor, or none of so many dimensions.
  int64_t Extent(std::string_view name, size_t dimension) const;
  // How many of 0, 1, 2, ... there are, without a gap, in tensors of the names before + i + after.
  int64_t Count(std::string_view before, std::string_view after) const;

 private:
  const Tensor* Find(std::string_view name) const;

  const TensorMap& tensors_;
  const std::string prefix_;
};

// The places that each of the channels has in a map of so many numbers; 0 where that is no whole
// number.
int64_t PlacesOf(int64_t numbers, int64_t channels);

// The input of a network that halves its picture until `places` of each channel are left, `halved`
// times: `hints` decide, else the largest picture that fits is taken, and a remark says so where it
// is not of 112×112 pixels. Nothing where no places are left.
std::optional<Input> InputOfPlaces(int64_t channels, int64_t places, int halved,
                                   const DescribeHints& hints, std::vector<std::string>& remarks);

// The families. Each gives nothing where its telltale tensors are not there.
std::optional<FoundNetwork> FindIResNet(const TensorShapes& shapes, const DescribeHints& hints);
std::optional<FoundNetwork> FindIr(const TensorShapes& shapes, const DescribeHints& hints);
std::optional<FoundNetwork> FindMobileFaceNet(const TensorShapes& shapes,
                                              const DescribeHints& hints);
std::optional<FoundNetwork> FindResNetFace(const TensorShapes& shapes, const DescribeHints& hints);
std::optional<FoundNetwork> FindResNet(const TensorShapes& shapes, const DescribeHints& hints);

}  // namespace facegate::network
