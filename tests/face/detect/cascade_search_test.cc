#include "face/detect/cascade_search.h"

#include <gtest/gtest.h>

#include "face/detect/cascade.h"
#include "face/detect/landmark_cascade.h"

namespace facegate {
namespace {

template <typename Options>
ScaledSearch WholeOf(cv::Size picture) {
  const Options options;
  return WholeSearch(picture, options.max_side, options.min_face_share);
}

template <typename Options>
class CascadeSearchTest : public ::testing::Test {};
using CascadeKinds = ::testing::Types<CascadeOptions, LandmarkCascadeOptions>;
TYPED_TEST_SUITE(CascadeSearchTest, CascadeKinds);

TYPED_TEST(CascadeSearchTest, LooksFinelyForSmallFacesOfLargeAndOfLongPictures) {
  const TypeParam options;
  for (const cv::Size picture : {cv::Size(4000, 3000), cv::Size(3000, 4000), cv::Size(12000, 300),
                                 cv::Size(300, 12000), cv::Size(1920, 1440)}) {
    const ScaledSearch whole = WholeOf<TypeParam>(picture);
    const auto fine = FineSearch(whole, options.min_face_pixels);
    ASSERT_TRUE(fine.has_value()) << picture;
    EXPECT_NEAR(fine->sizes.smallest / fine->scale, options.min_face_pixels, 2) << picture;
    // No size of face is between the two searches.
    EXPECT_GT(fine->sizes.largest / fine->scale, whole.sizes.smallest / whole.scale) << picture;
  }
}

TYPED_TEST(CascadeSearchTest, SearchesSmallerPicturesOnceDownToAQuarterMore) {
  const TypeParam options;
  for (const cv::Size picture : {cv::Size(1600, 1200), cv::Size(1200, 1600), cv::Size(250, 250)}) {
    const ScaledSearch whole = WholeOf<TypeParam>(picture);
    EXPECT_FALSE(FineSearch(whole, options.min_face_pixels).has_value()) << picture;
    EXPECT_LE(whole.sizes.smallest / whole.scale, 1.25 * options.min_face_pixels) << picture;
  }
}

}  // namespace
}  // namespace facegate
