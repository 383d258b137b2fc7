#include "trainer/report/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <opencv2/imgcodecs.hpp>

#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/report/event_reader.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

class EventFileTest : public ::testing::Test {
 protected:
  // The events beside the first, which tells the version.
  std::vector<WireMessage> Added() {
    EXPECT_THAT(events_->Flush(), IsOk());
    std::vector<WireMessage> all = ReadEvents(events_->path());
    if (!all.empty()) all.erase(all.begin());
    return all;
  }

  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<EventFile> events_ = EventFile::Create(dir_.path().string(), clock_).value();
};

TEST(TfRecordTest, HasTheMaskedSumsOfItsLengthAndItsBytes) {
  // The masked sum of a length of 24, as TensorFlow writes it.
  const std::string record = TfRecord(std::string(24, 'x'));
  ASSERT_EQ(record.size(), 24U + 16U);
  EXPECT_EQ(NumberAt<uint64_t>(record, 0), 24U);
  EXPECT_EQ(NumberAt<uint32_t>(record, 8), 0x224b7fa3U);
}

TEST_F(EventFileTest, BeginsWithTheVersionAndTheTime) {
  ASSERT_THAT(events_->Flush(), IsOk());
  const std::vector<WireMessage> events = ReadEvents(events_->path());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].Bytes(3), "brain.Event:2");
  EXPECT_NEAR(events[0].Double(1), static_cast<double>(clock_.UnixMicros()) * 1e-6, 1e-3);
}

TEST_F(EventFileTest, WritesScalarsWithTheirTagAndStep) {
  ASSERT_THAT(events_->AddScalar("train/loss", 300, 2.5), IsOk());
  const std::vector<WireMessage> events = Added();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].Number(2), 300U);
  const WireMessage value = events[0].Message(5).Message(1);
  EXPECT_EQ(value.Bytes(1), "train/loss");
  EXPECT_EQ(value.Float(2), 2.5F);
}

TEST_F(EventFileTest, WritesImagesAsPngOfTheSamePixels) {
  cv::Mat image(3, 5, CV_8UC3, cv::Scalar(10, 20, 30));
  image.at<cv::Vec3b>(1, 2) = {200, 100, 50};
  ASSERT_THAT(events_->AddImage("faces", 1, image), IsOk());
  const WireMessage value = Added().at(0).Message(5).Message(1).Message(4);
  EXPECT_EQ(value.Number(1), 3U);
  EXPECT_EQ(value.Number(2), 5U);
  EXPECT_EQ(value.Number(3), 3U);
  const std::string& png = value.Bytes(4);
  const cv::Mat decoded =
      cv::imdecode(std::vector<unsigned char>(png.begin(), png.end()), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(decoded.type(), CV_8UC3);
  EXPECT_EQ(cv::norm(decoded, image, cv::NORM_INF), 0.0);
}

TEST_F(EventFileTest, RefusesAnImageThatIsNeitherGreyNorBgr) {
  EXPECT_THAT(events_->AddImage("faces", 1, cv::Mat(2, 2, CV_32FC1)),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(events_->AddImage("faces", 1, cv::Mat()), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(EventFileTest, HistogramsCountEachFiniteValueOnceInItsBucket) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(std::sin(static_cast<float>(i)) * 3.0F);
  values.push_back(std::nanf(""));
  values.push_back(HUGE_VALF);
  ASSERT_THAT(events_->AddHistogram("weights", 7, values), IsOk());
  values.resize(1000);
  const WireMessage histogram = Added().at(0).Message(5).Message(1).Message(5);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_EQ(histogram.Double(1), *low);
  EXPECT_EQ(histogram.Double(2), *high);
  EXPECT_EQ(histogram.Double(3), 1000.0);
  EXPECT_NEAR(histogram.Double(4), std::accumulate(values.begin(), values.end(), 0.0), 1e-9);
  const std::vector<double> limits = histogram.Doubles(6);
  const std::vector<double> counts = histogram.Doubles(7);
  ASSERT_EQ(limits.size(), counts.size());
  EXPECT_EQ(limits.back(), *high);
  for (size_t i = 0; i < limits.size(); ++i) {
    const double from = i == 0 ? -HUGE_VAL : limits[i - 1];
    const auto expected = std::count_if(values.begin(), values.end(), [&](float value) {
      return value > from && value <= limits[i];
    });
    EXPECT_EQ(counts[i], static_cast<double>(expected)) << "bucket " << i;
  }
}

TEST_F(EventFileTest, HistogramsOfOneRepeatedValueHaveOneBucketAndOfNoneAreLeftOut) {
  ASSERT_THAT(events_->AddHistogram("none", 1, std::vector<float>{std::nanf("")}), IsOk());
  ASSERT_THAT(events_->AddHistogram("zeros", 1, std::vector<float>(9, 0.0F)), IsOk());
  const std::vector<WireMessage> events = Added();
  ASSERT_EQ(events.size(), 1U);
  const WireMessage histogram = events[0].Message(5).Message(1).Message(5);
  EXPECT_THAT(histogram.Doubles(6), ElementsAre(0.0));
  EXPECT_THAT(histogram.Doubles(7), ElementsAre(9.0));
}

TEST_F(EventFileTest, FilesOfOneSecondGetNamesThatSortByAge) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto second, EventFile::Create(dir_.path().string(), clock_));
  clock_.Advance(std::chrono::seconds(1));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto third, EventFile::Create(dir_.path().string(), clock_));
  EXPECT_THAT(EventFilesOf(dir_.path()),
              ElementsAre(events_->path(), second->path(), third->path()));
}

TEST(EventFileFailureTest, AFolderThatIsAbsentIsAnError) {
  const TempDir dir;
  EXPECT_FALSE(EventFile::Create(dir.File("absent"), Clock::System()).ok());
}

}  // namespace
}  // namespace facegate
