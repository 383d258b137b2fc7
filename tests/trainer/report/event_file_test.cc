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

namespace facegate::report {
namespace {

using ::testing::ElementsAre;

class EventFileTest : public ::testing::Test {
 protected:
  // The events beside the first, which tells the version.
  std::vector<tensorboard::Event> Added() {
    EXPECT_THAT(events_->Flush(), IsOk());
    std::vector<tensorboard::Event> all = ReadEvents(events_->path());
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
  const std::vector<tensorboard::Event> events = ReadEvents(events_->path());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_NEAR(events[0].wall_time(), static_cast<double>(clock_.UnixMicros()) * 1e-6, 1e-3);
}

// The bytes that TensorBoard's own field numbers give (protobuf.dev/programming-guides/encoding).
TEST_F(EventFileTest, WritesThePublishedFieldNumbers) {
  using namespace std::string_literals;
  ASSERT_THAT(events_->AddRestart(4), IsOk());
  ASSERT_THAT(events_->AddScalar("loss", 3, 2.5), IsOk());
  ASSERT_THAT(events_->AddText("note", 5, "*a*"), IsOk());
  ASSERT_THAT(events_->AddGraph("graph"), IsOk());
  std::vector<tensorboard::Event> events = Added();
  ASSERT_EQ(events.size(), 4U);
  for (tensorboard::Event& event : events) event.clear_wall_time();
  EXPECT_EQ(events[0].SerializeAsString(), "\x10\x04\x3a\x02\x08\x01"s);
  EXPECT_EQ(events[1].SerializeAsString(), "\x10\x03\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\x20\x40"s);
  EXPECT_EQ(events[2].SerializeAsString(),
            "\x10\x05\x2a\x21\x0a\x1f\x0a\x04note"  // text in a tensor
            "\x42\x0d\x08\x07\x12\x04\x12\x02\x08\x01\x42\x03*a*"
            "\x4a\x08\x0a\x06\x0a\x04text"s);
  EXPECT_EQ(events[3].SerializeAsString(), "\x22\x05graph"s);
}

TEST_F(EventFileTest, WritesScalarsWithTheirTagAndStep) {
  ASSERT_THAT(events_->AddScalar("train/loss", 300, 2.5), IsOk());
  const std::vector<tensorboard::Event> events = Added();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].step(), 300);
  const tensorboard::Summary::Value& value = events[0].summary().value(0);
  EXPECT_EQ(value.tag(), "train/loss");
  EXPECT_EQ(value.simple_value(), 2.5F);
}

TEST_F(EventFileTest, WritesImagesAsPngOfTheSamePixels) {
  cv::Mat image(3, 5, CV_8UC3, cv::Scalar(10, 20, 30));
  image.at<cv::Vec3b>(1, 2) = {200, 100, 50};
  ASSERT_THAT(events_->AddImage("faces", 1, image), IsOk());
  const tensorboard::Summary::Image shown = Added().at(0).summary().value(0).image();
  EXPECT_EQ(shown.height(), 3);
  EXPECT_EQ(shown.width(), 5);
  EXPECT_EQ(shown.colorspace(), 3);
  const std::string& png = shown.encoded_image_string();
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
  const tensorboard::HistogramProto histogram = Added().at(0).summary().value(0).histo();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_EQ(histogram.min(), *low);
  EXPECT_EQ(histogram.max(), *high);
  EXPECT_EQ(histogram.num(), 1000.0);
  EXPECT_NEAR(histogram.sum(), std::accumulate(values.begin(), values.end(), 0.0), 1e-9);
  const auto& limits = histogram.bucket_limit();
  const auto& counts = histogram.bucket();
  ASSERT_EQ(limits.size(), counts.size());
  EXPECT_EQ(limits[limits.size() - 1], *high);
  for (int i = 0; i < limits.size(); ++i) {
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
  const std::vector<tensorboard::Event> events = Added();
  ASSERT_EQ(events.size(), 1U);
  const tensorboard::HistogramProto& histogram = events[0].summary().value(0).histo();
  EXPECT_THAT(histogram.bucket_limit(), ElementsAre(0.0));
  EXPECT_THAT(histogram.bucket(), ElementsAre(9.0));
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
}  // namespace facegate::report
