// Sets of pairs as Python's own pickle, NumPy and blosc write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <opencv2/core.hpp>
#include <set>
#include <sstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/pair_set.h"

namespace facegate {
namespace {

constexpr size_t kWrittenPairs = 5;

// The forms that the script wrote.
class PairSetGoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const python = std::getenv("FACEGATE_PYTHON");
    const std::string command = std::string(python == nullptr ? "/usr/bin/python3" : python) +
                                " '" + FACEGATE_WRITE_PAIR_SETS + "' '" + dir_.path().string() +
                                "'";
    FILE* const pipe = ::popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string text;
    std::array<char, 4096> buffer{};
    for (size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
      text.append(buffer.data(), got);
    }
    ASSERT_EQ(::pclose(pipe), 0) << command;
    std::istringstream lines(text);
    for (std::string form; std::getline(lines, form);) forms_.insert(form);
  }

  void ExpectSet(const std::string& form) {
    ASSERT_TRUE(forms_.contains(form)) << form;
    const std::string path = dir_.File(form);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSetFormat* const format, FormatOfPairSet(path));
    ASSERT_NE(format, nullptr);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSet set, format->open(path));
    EXPECT_EQ(set.name, "lfw");
    ASSERT_EQ(set.pairs.size(), kWrittenPairs);
    for (size_t i = 0; i < kWrittenPairs; ++i) {
      EXPECT_EQ(set.pairs[i].same, i % 3 != 0) << form;
      EXPECT_EQ(set.pairs[i].second, 2 * i + 1);
    }
    ASSERT_EQ(set.pictures->size(), 2 * kWrittenPairs);
    for (int i = 0; i < static_cast<int>(2 * kWrittenPairs); ++i) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat picture,
                                    set.pictures->Load(static_cast<size_t>(i)));
      cv::Mat expected(112, 112, CV_8UC3);
      for (int y = 0; y < 112; ++y) {
        for (int x = 0; x < 112; ++x) {
          expected.at<cv::Vec3b>(y, x) = {static_cast<uint8_t>(2 * x + 3 * i),
                                          static_cast<uint8_t>(2 * y + 5 * i),
                                          static_cast<uint8_t>(x + y + 7 * i)};
        }
      }
      ASSERT_EQ(cv::norm(picture, expected, cv::NORM_INF), 0.0) << form << " picture " << i;
    }
  }

  const TempDir dir_;
  std::set<std::string> forms_;
};

TEST_F(PairSetGoldenTest, ReadsPythonsPicklesOfEveryProtocol) {
  for (const char* const form :
       {"pickle-2/lfw.bin", "pickle-3/lfw.bin", "pickle-4/lfw.bin", "pickle-5/lfw.bin"}) {
    ExpectSet(form);
  }
}

TEST_F(PairSetGoldenTest, ReadsMemfiles) { ExpectSet("memfile/lfw"); }

TEST_F(PairSetGoldenTest, ReadsPicklesOfNumPy) {
  if (!forms_.contains("numpy-2/lfw.bin")) {
    GTEST_SKIP() << "NumPy is not installed: set FACEGATE_PYTHON to a Python that has it";
  }
  for (const char* const form :
       {"numpy-2/lfw.bin", "numpy-3/lfw.bin", "numpy-4/lfw.bin", "numpy-5/lfw.bin"}) {
    ExpectSet(form);
  }
}

TEST_F(PairSetGoldenTest, ReadsChunksOfPythonsBlosc) {
  if (!forms_.contains("bcolz/lfw")) {
    GTEST_SKIP() << "python3-blosc is not installed: apt-get install python3-blosc";
  }
  ExpectSet("bcolz/lfw");
}

}  // namespace
}  // namespace facegate
