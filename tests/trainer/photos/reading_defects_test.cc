// Mistakes in reading photos that face trainers are known for, each with a test that this one does
// not make it, on the whole way from a file to the numbers that a network gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/pack_bytes.h"
#include "tests/support/photo_folder.h"
#include "tests/support/set_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/loader.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

class ReadingDefectsTest : public ::testing::Test {
 protected:
  // All photos of `dataset` in one batch, unchanged.
  static std::unique_ptr<Batch> OneBatch(const Dataset& dataset) {
    LoaderOptions options;
    options.sampler.batch = dataset.size();
    options.augment.flip = 0.0;
    auto loader = Loader::Start(dataset, options, nullptr);
    EXPECT_THAT(loader, IsOk());
    auto batch = (*loader)->Next();
    EXPECT_THAT(batch, IsOk());
    return *std::move(batch);
  }

  TempDir dir_;
};

// The order of the colours was turned round after the picture had become planes, by turning the
// last axis round: what was turned round was left and right, and blue stayed first.
TEST_F(ReadingDefectsTest, ColoursAreSwappedAndSidesAreNot) {
  cv::Mat picture(112, 112, CV_8UC3, cv::Scalar(0, 0, 0));
  picture(cv::Rect(0, 0, 56, 112)).setTo(cv::Scalar(0, 0, 255));   // the left half is red
  picture(cv::Rect(56, 0, 56, 112)).setTo(cv::Scalar(255, 0, 0));  // the right half is blue
  const std::string png = EncodePng(picture);
  WriteBytes(dir_.File("faces/a/1.png"), png);
  WriteBytes(dir_.File("list.txt"), "faces/a/1.png 5\n");
  WriteBytes(dir_.File("set.pack"), PackBytes({{.label = 0, .name = "a/1", .image = png}}, {"a"}));
  WriteBytes(dir_.File("set.rec"), InsightFaceSet({{5, png}}, 1).rec);
  WriteBytes(dir_.File("set.tfrecord"), TfRecordOf(TfExampleOf(5, "image/encoded", png, "1.png")));
  WriteBytes(dir_.File("set.zip"), ZipOf({{"a/1.png", png, true}}));
  WriteBytes(dir_.File("set.tar"), TarOf({{"a/1.png", png}}));
  for (const char* form :
       {"faces", "list.txt", "set.pack", "set.rec", "set.tfrecord", "set.zip", "set.tar"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(dir_.File(form), ""));
    const auto batch = OneBatch(*dataset);
    const auto at = [&](size_t plane, size_t x) {
      return batch->pixels[(plane * 112 + 50) * 112 + x];
    };
    EXPECT_EQ(at(0, 10), 1.0F) << form;    // red at the left, in the first plane
    EXPECT_EQ(at(0, 100), -1.0F) << form;  // not at the right
    EXPECT_EQ(at(2, 10), -1.0F) << form;
    EXPECT_EQ(at(2, 100), 1.0F) << form;  // blue at the right, in the last plane
  }
}

// Identities of a list began at 1, and the count of classes was taken from the greatest number: a
// class that nobody has, and all others one place off.
TEST_F(ReadingDefectsTest, IdentitiesFromOneGiveNoClassTooMany) {
  std::string list;
  for (int i = 1; i <= 5; ++i) {
    const std::string name = "00000" + std::to_string(i) + ".png";
    WriteBytes(dir_.File(name), PatternPng(static_cast<uint64_t>(i)));
    list += name + " " + std::to_string((i + 1) / 2) + "\n";
  }
  WriteBytes(dir_.File("identity.txt"), list);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(dir_.File("identity.txt"), ""));
  EXPECT_EQ(dataset->classes(), 3u);
  const auto batch = OneBatch(*dataset);
  const std::set<int64_t> labels(batch->labels.begin(), batch->labels.end());
  EXPECT_EQ(labels, (std::set<int64_t>{0, 1, 2}));
}

// The same of records, whose labels have gaps besides.
TEST_F(ReadingDefectsTest, GapsBetweenTheLabelsOfRecordsGiveNoClass) {
  const std::string png = PatternPng(1);
  WriteBytes(dir_.File("set.rec"), InsightFaceSet({{1, png}, {7, png}, {85742, png}}, 3).rec);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(dir_.File("set.rec"), ""));
  EXPECT_EQ(dataset->classes(), 3u);
  const auto batch = OneBatch(*dataset);
  const std::set<int64_t> labels(batch->labels.begin(), batch->labels.end());
  EXPECT_EQ(labels, (std::set<int64_t>{0, 1, 2}));
}

// The list of photos was filled with the first ones of the pairs twice over, and those that were
// second alone were left out without a word. A list here has every photo of its lines.
TEST_F(ReadingDefectsTest, EveryLineOfAListIsRead) {
  std::string list;
  for (uint64_t i = 0; i < 7; ++i) {
    const std::string name = "second/" + std::to_string(i) + ".png";
    WriteBytes(dir_.File(name), PatternPng(i));
    list += name + (i % 2 == 0 ? " 0\n" : " 1\n");
  }
  WriteBytes(dir_.File("list.txt"), list);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(dir_.File("list.txt"), ""));
  const auto batch = OneBatch(*dataset);
  const std::set<size_t> photos(batch->photos.begin(), batch->photos.end());
  EXPECT_EQ(photos.size(), 7u);
}

// The last batch, which was not full, kept the colours of the file where the others had them turned
// round. A batch here has the same pixels for a photo whatever its size and place.
TEST_F(ReadingDefectsTest, ABatchOfOneIsTreatedLikeAFullOne) {
  for (uint64_t i = 0; i < 5; ++i) {
    WriteBytes(dir_.File("faces/a/" + std::to_string(i) + ".png"), PatternPng(i));
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto all, OpenDataset(dir_.File("faces"), ""));
  const auto full = OneBatch(*all);
  constexpr size_t kFloats = size_t{3} * 112 * 112;
  for (size_t place = 0; place < full->photos.size(); ++place) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(ImageList list, ReadImageFolder(dir_.File("faces")));
    list.images = {list.images[full->photos[place]]};
    const auto one = OneBatch(*MakeListDataset(std::move(list)));
    ASSERT_EQ(one->pixels.size(), kFloats);
    const auto begin = full->pixels.begin() + static_cast<ptrdiff_t>(place * kFloats);
    EXPECT_TRUE(std::equal(one->pixels.begin(), one->pixels.end(), begin)) << place;
  }
}

}  // namespace
}  // namespace facegate
