#include "face/embed/usual_preprocessing.h"

#include "face/image/align.h"

namespace facegate {

Preprocessing UsualPreprocessing(const network::Input& input, ColourOrder colours) {
  Preprocessing preprocessing;
  preprocessing.input_width = static_cast<int>(input.width);
  preprocessing.input_height = static_cast<int>(input.height);
  preprocessing.colour_order = input.channels == 1 ? ColourOrder::kGrey : colours;
  preprocessing.letterbox = CropSize(preprocessing.alignment) !=
                            cv::Size(preprocessing.input_width, preprocessing.input_height);
  return preprocessing;
}

}  // namespace facegate
