#include "trainer/photos/digit_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/photo_folder.h"
#include "tests/support/set_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;

class DigitDatasetTest : public ::testing::Test {
 protected:
  DigitDatasetTest() {
    WriteBytes(dir_.File("mnist/train-images-idx3-ubyte"), IdxBytes({2, 2, 3}, "abcdefABCDEF"));
    WriteBytes(dir_.File("mnist/train-labels-idx1-ubyte"), IdxBytes({2}, "\x07\x02"));
    WriteBytes(dir_.File("mnist/t10k-images-idx3-ubyte"), IdxBytes({1, 1, 1}, "\xff"));
    WriteBytes(dir_.File("mnist/t10k-labels-idx1-ubyte"), IdxBytes({1}, "\0"s));
  }

  TempDir dir_;
};

TEST_F(DigitDatasetTest, AFolderIsItsTrainingHalf) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(dir_.File("mnist"), ""));
  ASSERT_EQ(dataset->size(), 2u);
  EXPECT_EQ(dataset->classes(), 2u);
  EXPECT_EQ(dataset->label(0), 1u);
  EXPECT_EQ(dataset->label(1), 0u);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat picture, dataset->Load(1));
  ASSERT_EQ(picture.size(), cv::Size(3, 2));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 2), cv::Vec3b('C', 'C', 'C'));
  EXPECT_EQ(picture.at<cv::Vec3b>(1, 0), cv::Vec3b('D', 'D', 'D'));
}

TEST_F(DigitDatasetTest, AFileOfPicturesIsItsHalf) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source,
                                OpenPhotoSource(dir_.File("mnist/t10k-images-idx3-ubyte"), ""));
  EXPECT_THAT(source->classes(), ElementsAre("0"));
  EXPECT_EQ(source->short_name(0), "0/00000.png");
}

TEST_F(DigitDatasetTest, RefusesPicturesWithoutLabels) {
  std::filesystem::remove(dir_.File("mnist/train-labels-idx1-ubyte"));
  EXPECT_THAT(OpenPhotoSource(dir_.File("mnist"), ""), StatusIs(StatusCode::kNotFound));
}

}  // namespace
}  // namespace facegate
