// facegate-train eval --report as it is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "trainer/command/train_cli.h"

namespace facegate::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Photos of three people, two each, on a circle.
class EvalReportTest : public ::testing::Test {
 protected:
  EvalReportTest() {
    std::ofstream order(dir_.File("order"));
    std::ofstream values(dir_.File("values"), std::ios::binary);
    for (int person = 0; person < 3; ++person) {
      for (int photo = 1; photo <= 2; ++photo) {
        const float angle = static_cast<float>(person) + 0.1F * static_cast<float>(photo);
        order << static_cast<char>('a' + person) << "/" << photo << ".png\n";
        const float row[2] = {2 * std::cos(angle), 2 * std::sin(angle)};
        values.write(reinterpret_cast<const char*>(row), sizeof row);
      }
    }
    std::ofstream pairs(dir_.File("pairs"));
    for (int i = 0; i < 10; ++i) pairs << "a/1.png a/2.png 1\nb/1.png c/2.png 0\n";
  }
  TrainExitCode Run(const std::vector<std::string>& more, const std::string& report) {
    std::vector<std::string> all = {
        "eval",    "--embeddings",     dir_.File("values"), "--order", dir_.File("order"),
        "--pairs", dir_.File("pairs"), "--report",          report};
    all.insert(all.end(), more.begin(), more.end());
    std::ostringstream out;
    std::ostringstream err;
    const TrainExitCode code = RunTrainCli(all, out, err);
    err_ = err.str();
    return code;
  }

  TempDir dir_;
  std::string err_;
};

TEST_F(EvalReportTest, WritesThePageOfTheFigures) {
  ASSERT_EQ(Run({}, dir_.File("report.html")), TrainExitCode::kOk) << err_;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page,
                                ReadFile(dir_.File("report.html"), 1 << 22));
  EXPECT_THAT(page, HasSubstr("<h1>Evaluation of values</h1>"));
  EXPECT_THAT(page, HasSubstr("<b>100.00 %</b>"));
  EXPECT_THAT(page, HasSubstr("3 people enrolled, 3 probes, 0 strangers"));
  EXPECT_EQ(CountOf(page, "no picture"), 32U);  // 8 pairs of each kind
}

TEST_F(EvalReportTest, ShowsThePhotosOfThePairs) {
  for (const char* const person : {"a", "b", "c"}) {
    std::filesystem::create_directory(dir_.path() / person);
    for (const char* const photo : {"1.png", "2.png"}) {
      cv::imwrite((dir_.path() / person / photo).string(),
                  cv::Mat(112, 112, CV_8UC3, cv::Scalar(30, 90, 160)));
    }
  }
  std::filesystem::remove(dir_.path() / "c/2.png");
  ASSERT_EQ(Run({"--photos", dir_.path().string()}, dir_.File("report.html")), TrainExitCode::kOk)
      << err_;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page,
                                ReadFile(dir_.File("report.html"), 1 << 22));
  EXPECT_EQ(CountOf(page, "src=\"data:image/jpeg;base64,"), 24U);
  EXPECT_EQ(CountOf(page, "no picture"), 8U);
  EXPECT_THAT(page, HasSubstr("Photos of the hardest pairs that could not be read: 1."));
}

TEST_F(EvalReportTest, AFolderThatIsAbsentIsAWrongCommandLine) {
  EXPECT_EQ(Run({}, dir_.File("absent/report.html")), TrainExitCode::kUsage);
  EXPECT_THAT(err_, HasSubstr("--report"));
}

TEST(EvalReportGoldenTest, ShowsTheReferenceFiguresOfLfw) {
  FACEGATE_DATA_OR_SKIP(data);
  const TempDir dir;
  std::ostringstream out;
  std::ostringstream err;
  ASSERT_EQ(RunTrainCli(
                {"eval", "--embeddings", (data / "lfw/embeddings_seed002.f32").string(), "--order",
                 (data / "lfw/order.txt").string(), "--pairs", (data / "lfw/pairs.txt").string(),
                 "--with-mirrors", "--photos", (data / "lfw/photos").string(), "--landmarks",
                 (data / "lfw/landmarks.txt").string(), "--report", dir.File("report.html")},
                out, err),
            TrainExitCode::kOk)
      << err.str();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReadFile(dir.File("report.html"), 2 << 20));
  for (const char* const figure : {"<b>98.47 %</b><small>± 0.43</small>", "<b>98.10 %</b>",
                                   "<b>92.67 %</b>", "<b>1.47 %</b>", "88.71 %", "61.84 %"}) {
    EXPECT_THAT(page, HasSubstr(figure));
  }
  EXPECT_EQ(CountOf(page, "src=\"data:image/jpeg;base64,"), 32U);
  EXPECT_THAT(page, Not(HasSubstr("no picture")));
}

}  // namespace
}  // namespace facegate::report
