#include "trainer/run/batch_picture.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

// Colours were shown in another order than the network saw them in, and nobody noticed the mistake.
TEST(BatchPictureTest, ShowsWhatWentIn) {
  for (const ColourOrder order : {ColourOrder::kRgb, ColourOrder::kBgr}) {
    Preprocessing preprocessing;
    preprocessing.colour_order = order;
    Batch batch;
    batch.pixels.resize(3 * preprocessing.input_floats());
    batch.labels = {0, 1, 2};
    for (size_t i = 0; i < 3; ++i) {
      const AlignedFace face{.bgr = SyntheticCrop(static_cast<uint32_t>(i))};
      const size_t floats = preprocessing.input_floats();
      ASSERT_THAT(WriteNetworkInput(face, preprocessing, false,
                                    std::span(batch.pixels).subspan(i * floats, floats)),
                  IsOk());
    }
    const cv::Mat picture = BatchPicture(batch, preprocessing, 8, 2);
    ASSERT_EQ(picture.size(), cv::Size(224, 224));
    EXPECT_EQ(cv::norm(picture(cv::Rect(112, 0, 112, 112)), SyntheticCrop(1), cv::NORM_INF), 0.0);
    EXPECT_EQ(cv::norm(picture(cv::Rect(0, 112, 112, 112)), SyntheticCrop(2), cv::NORM_INF), 0.0);
    EXPECT_EQ(BatchPicture(batch, preprocessing, 2, 2).rows, 112);
  }
}

}  // namespace
}  // namespace facegate
