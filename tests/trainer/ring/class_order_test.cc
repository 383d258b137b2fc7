#include "trainer/ring/class_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facegate {
namespace {

using ::testing::ElementsAre;

// One-pixel pictures: the tour through classes of these grey values.
std::vector<size_t> OrderOf(const std::vector<uint8_t>& greys) {
  DigitSet digits{.rows = 1, .columns = 1, .pixels = {}, .labels = {}};
  for (size_t label = 0; label < greys.size(); ++label) {
    // Twice, around the mean.
    for (const int step : {-1, 1}) {
      digits.pixels.push_back(static_cast<char>(greys[label] + step));
      digits.labels.push_back(static_cast<uint8_t>(label));
    }
  }
  return OrderByLikeness(digits, greys.size());
}

TEST(ClassOrderTest, PutsClassesThatLookAlikeSideBySide) {
  DigitSet corners{.rows = 1, .columns = 2, .pixels = {}, .labels = {0, 1, 2, 3}};
  // The square's corners in an order that crosses itself: 0 and 1 are opposite, as 2 and 3.
  corners.pixels = std::string("\x0a\x0a\x64\x64\x0a\x64\x64\x0a", 8);
  EXPECT_THAT(OrderByLikeness(corners, 4), ElementsAre(0, 2, 1, 3));
}

TEST(ClassOrderTest, IsAPermutationForAnyPictures) {
  EXPECT_THAT(OrderOf({7, 7, 7}), ::testing::UnorderedElementsAre(0, 1, 2));
  EXPECT_THAT(OrderOf({200, 10, 90, 12, 250, 1}),
              ::testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5));
}

}  // namespace
}  // namespace facegate
