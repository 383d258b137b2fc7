#include "trainer/run/network_input.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace facegate {

StatusOr<std::vector<float>> NetworkInputOf(const Dataset& photos, size_t photo,
                                            const Preprocessing& preprocessing) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat picture, photos.Load(photo));
  std::optional<cv::Mat> crop = CropIn(picture, preprocessing.alignment);
  if (!crop.has_value()) {
    const cv::Size size = CropSize(preprocessing.alignment);
    return InvalidArgument(fmt::format("{} is {} x {}, expected an aligned crop of {} x {}",
                                       photos.name(photo), picture.cols, picture.rows, size.width,
                                       size.height));
  }
  std::vector<float> input(preprocessing.input_floats());
  FACEGATE_RETURN_IF_ERROR(
      WriteNetworkInput({.bgr = *std::move(crop)}, preprocessing, /*mirrored=*/false, input));
  return input;
}

}  // namespace facegate
