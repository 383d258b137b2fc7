#include "face/embed/usual_preprocessing.h"

namespace facegate {

Preprocessing UsualPreprocessing(const network::Input& input, ColourOrder colours,
                                 AlignmentTemplate alignment) {
  Preprocessing preprocessing;
  preprocessing.alignment = alignment;
  preprocessing.input_width = static_cast<int>(input.width);
  preprocessing.input_height = static_cast<int>(input.height);
  preprocessing.colour_order = input.channels == 1 ? ColourOrder::kGrey : colours;
  preprocessing.letterbox =
      CropSize(alignment) != cv::Size(preprocessing.input_width, preprocessing.input_height);
  return preprocessing;
}

}  // namespace facegate
