#include "face/network/tensor_shapes.h"

#include <fmt/format.h>

#include "face/network/usual_layers.h"

namespace facegate::network {

const Tensor* TensorShapes::Find(std::string_view name) const {
  const auto found = tensors_.find(fmt::format("{}{}", prefix_, name));
  return found == tensors_.end() ? nullptr : &found->second;
}

int64_t TensorShapes::Extent(std::string_view name, size_t dimension) const {
  const Tensor* const tensor = Find(name);
  return tensor != nullptr && dimension < tensor->shape.size() ? tensor->shape[dimension] : 0;
}

int64_t TensorShapes::Count(std::string_view before, std::string_view after) const {
  int64_t count = 0;
  while (Has(fmt::format("{}{}{}", before, count, after))) ++count;
  return count;
}

int64_t PlacesOf(int64_t numbers, int64_t channels) {
  return channels > 0 && numbers % channels == 0 ? numbers / channels : 0;
}

std::optional<Input> InputOfPlaces(int64_t channels, int64_t places, int halved,
                                   const DescribeHints& hints, std::vector<std::string>& remarks) {
  const std::optional<Sides> sides = SidesOf(places);
  if (!sides.has_value()) return std::nullopt;
  if (hints.input.has_value()) {
    return Input{.channels = channels, .height = hints.input->height, .width = hints.input->width};
  }
  const int64_t factor = int64_t{1} << halved;
  const Input input{
      .channels = channels, .height = sides->height * factor, .width = sides->width * factor};
  if (input.height != kCropInput.height || input.width != kCropInput.width) {
    remarks.push_back(fmt::format(
        "pictures of {}x{} pixels are taken to be its input; --input says where it was trained on "
        "others, which may be up to {} pixels narrower and lower",
        input.width, input.height, factor - 1));
  }
  return input;
}

}  // namespace facegate::network
