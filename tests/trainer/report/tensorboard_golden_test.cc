// Event files as TensorBoard's own package reads them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "face/network/architecture.h"
#include "tests/support/python_script.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/report/event_reader.h"
#include "trainer/report/network_graph.h"
#include "trainer/report/run_log.h"

namespace facegate::report {
namespace {

TEST(TensorBoardGoldenTest, ReadsBackWhatARunWroteAndResumed) {
  const TempDir dir;
  std::vector<float> weights;
  for (int i = 0; i < 500; ++i) weights.push_back(std::sin(static_cast<float>(i)));
  cv::Mat image(4, 6, CV_8UC3, cv::Scalar(250, 10, 60));
  image.at<cv::Vec3b>(2, 3) = {1, 2, 3};
  {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto log, RunLog::Open(dir.path().string(), 0));
    for (int64_t batch = 0; batch < 6; ++batch) {
      ASSERT_THAT(log->Step({.batch = batch, .loss = 1.0 / static_cast<double>(batch + 1)}),
                  IsOk());
    }
    ASSERT_THAT(log->Evaluation({.batch = 4, .set = "lfw", .accuracy = 0.984375}), IsOk());
    ASSERT_THAT(log->Histogram("weights", 3, weights), IsOk());
    ASSERT_THAT(log->Image("faces", 2, image), IsOk());
    ASSERT_THAT(log->Text("configuration", 0, "batch = *64*"), IsOk());
    const auto graph = NetworkGraph(DescribeArchitecture("mobilefacenet-128").value());
    ASSERT_THAT(graph, IsOk());
    ASSERT_THAT(log->Graph(*graph), IsOk());
  }
  {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto log, RunLog::Open(dir.path().string(), 4));
    ASSERT_THAT(log->Step({.batch = 4, .loss = 0.75}), IsOk());
  }

  const auto [code, text] = RunPython(FACEGATE_READ_EVENTS, {dir.path().string()});
  if (code == kPythonSkipped) {
    GTEST_SKIP() << "SKIPPED: needs the Python package tensorboard; name a Python that has it in "
                    "FACEGATE_PYTHON";
  }
  ASSERT_EQ(code, 0) << text;
  const nlohmann::json json = nlohmann::json::parse(text);

  // The batches 4 and 5 of the first start are void.
  const nlohmann::json losses = json["scalars"]["train/loss"];
  ASSERT_EQ(losses.size(), 5U) << losses.dump();
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(losses[i][0], i);
    EXPECT_EQ(losses[i][1].get<float>(), static_cast<float>(1.0 / static_cast<double>(i + 1)));
  }
  EXPECT_EQ(losses[4], nlohmann::json::parse("[4, 0.75]"));
  EXPECT_EQ(json["scalars"]["evaluation/lfw/accuracy"], nlohmann::json::parse("[[4, 0.984375]]"));

  const nlohmann::json histogram = json["histograms"]["weights"].at(0);
  EXPECT_EQ(histogram["step"], 3);
  EXPECT_EQ(histogram["num"], 500.0);
  EXPECT_EQ(histogram["min"].get<float>(), *std::min_element(weights.begin(), weights.end()));
  EXPECT_EQ(histogram["max"].get<float>(), *std::max_element(weights.begin(), weights.end()));
  double sum = 0.0;
  double squares = 0.0;
  for (const float weight : weights) {
    sum += weight;
    squares += double{weight} * weight;
  }
  EXPECT_EQ(histogram["sum"].get<double>(), sum);
  EXPECT_EQ(histogram["sum_squares"].get<double>(), squares);
  const auto limits = histogram["bucket_limit"].get<std::vector<double>>();
  const auto counts = histogram["bucket"].get<std::vector<double>>();
  ASSERT_EQ(limits.size(), counts.size());
  for (size_t i = 0; i < limits.size(); ++i) {
    const double from = i == 0 ? -HUGE_VAL : limits[i - 1];
    EXPECT_EQ(counts[i], std::count_if(weights.begin(), weights.end(), [&](float weight) {
                return weight > from && weight <= limits[i];
              }));
  }

  const nlohmann::json shown = json["images"]["faces"].at(0);
  EXPECT_EQ(shown["step"], 2);
  EXPECT_EQ(shown["width"], 6);
  EXPECT_EQ(shown["height"], 4);
  const auto png = shown["png"].get<std::vector<unsigned char>>();
  EXPECT_EQ(cv::norm(cv::imdecode(png, cv::IMREAD_UNCHANGED), image, cv::NORM_INF), 0.0);

  EXPECT_EQ(json["texts"]["configuration"], nlohmann::json::parse("[[0, \"batch = *64*\"]]"));

  int64_t parameters = 0;
  for (const nlohmann::json& node : json["graph"]) parameters += node["parameters"].get<int64_t>();
  EXPECT_EQ(parameters, ParameterCount("mobilefacenet-128").value());
  const nlohmann::json first = json["graph"].at(0);
  EXPECT_EQ(first["op"], "Placeholder");
  EXPECT_EQ(first["shape"], nlohmann::json::parse("[-1, 3, 112, 112]"));
  EXPECT_EQ(json["graph"].at(1)["input"], nlohmann::json::parse("[\"input\"]"));
}

}  // namespace
}  // namespace facegate::report
