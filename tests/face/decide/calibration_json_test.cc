#include "face/decide/calibration_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "face/decide/calibration_reader.h"
#include "tests/support/sample_calibration.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using CalibrationText = nlohmann::json;

// The error for the sample after `change`, its id made anew.
std::string ErrorOfCalibration(const std::function<void(Calibration&)>& change) {
  Calibration one = SampleCalibration();
  change(one);
  one.id = CalibrationId(one);
  const auto read = CalibrationFromJson(CalibrationToJson(one));
  EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument));
  return read.ok() ? "" : std::string(MessageOf(read.status()));
}

std::string ErrorOfText(const std::function<void(CalibrationText&)>& change) {
  CalibrationText json = CalibrationText::parse(CalibrationToJson(SampleCalibration()));
  change(json);
  const auto read = CalibrationFromJson(json.dump());
  EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument));
  return read.ok() ? "" : std::string(MessageOf(read.status()));
}

TEST(CalibrationJsonTest, ReadsBackTheSameBytes) {
  const std::string text = CalibrationToJson(SampleCalibration());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration read, CalibrationFromJson(text));
  EXPECT_EQ(CalibrationToJson(read), text);
}

TEST(CalibrationJsonTest, OrderOfKeysDoesNotMatter) {
  // nlohmann-json sorts them.
  const std::string sorted = CalibrationText::parse(CalibrationToJson(SampleCalibration())).dump();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration read, CalibrationFromJson(sorted));
  EXPECT_EQ(read.id, SampleCalibration().id);
}

TEST(CalibrationJsonTest, IdChangesWithTheContent) {
  Calibration other = SampleCalibration();
  other.false_match[1].person_variance = 0.51;
  EXPECT_NE(CalibrationId(other), SampleCalibration().id);
}

TEST(CalibrationJsonTest, RefusesAChangeUnderTheSameId) {
  EXPECT_THAT(ErrorOfText([](auto& json) { json["probe_quality"] = 0.3; }), HasSubstr("\"id\""));
}

TEST(CalibrationJsonTest, RefusesUnknownMissingAndMistypedFields) {
  EXPECT_THAT(ErrorOfText([](auto& json) { json["more"] = 1; }), HasSubstr("unknown"));
  EXPECT_THAT(ErrorOfText([](auto& json) { json.erase("people"); }), HasSubstr("people"));
  EXPECT_THAT(ErrorOfText([](auto& json) { json["people"] = -101; }), HasSubstr("people"));
  EXPECT_THAT(ErrorOfText([](auto& json) { json["people"] = 101.5; }), HasSubstr("people"));
  EXPECT_THAT(ErrorOfText([](auto& json) { json["set"] = 5; }), HasSubstr("set"));
  EXPECT_THAT(ErrorOfText([](auto& json) { json["galleries"] = 5; }), HasSubstr("galleries"));
  EXPECT_THAT(ErrorOfText([](auto& json) { json["galleries"][0]["x"] = 5; }),
              HasSubstr("galleries[0]"));
  EXPECT_THAT(ErrorOfText([](auto& json) { json["false_match"]["rate"][1] = nullptr; }),
              HasSubstr("false_match.rate"));
}

TEST(CalibrationJsonTest, RefusesAKeyThatStandsTwice) {
  std::string text = CalibrationToJson(SampleCalibration());
  text.insert(1, R"("people":101,)");
  EXPECT_THAT(CalibrationFromJson(text), StatusIs(StatusCode::kInvalidArgument));
}

TEST(CalibrationJsonTest, RefusesColumnsOfDifferentLengths) {
  EXPECT_THAT(ErrorOfText([](auto& json) { json["false_match"]["rate"].push_back(0); }),
              HasSubstr("has 5 numbers, others 4"));
}

TEST(CalibrationJsonTest, RefusesEveryTruncation) {
  const std::string text = CalibrationToJson(SampleCalibration());
  for (size_t length = 0; length < text.size(); ++length) {
    ASSERT_THAT(CalibrationFromJson(text.substr(0, length)),
                StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST(CalibrationJsonTest, RefusesWhatIsTooLongOrTooDeep) {
  EXPECT_THAT(CalibrationFromJson(std::string(kMaxCalibrationBytes + 1, ' ')),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CalibrationFromJson(std::string(60000, '[')), StatusIs(StatusCode::kInvalidArgument));
}

TEST(CalibrationCheckTest, RefusesCountsThatDoNotAddUp) {
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.people = 3; }), HasSubstr("people"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.people = 1'000'000'000'000; }),
              HasSubstr("people"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.impostor_pairs = 5051; }),
              HasSubstr("impostor_pairs"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.impostor_comparisons = 5049; }),
              HasSubstr("impostor_comparisons"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.photos_left_out = 211; }),
              HasSubstr("photos_left_out"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.photos_left_out = 100; }),
              HasSubstr("photos"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.genuine_pairs = 49; }),
              HasSubstr("genuine_pairs"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.false_match[1].pairs = 5051; }),
              HasSubstr("false_match"));
}

TEST(CalibrationCheckTest, RefusesARateThatItsPairsCannotMake) {
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.false_match[2].pairs = 5; }),
              HasSubstr("false_match"));
}

TEST(CalibrationCheckTest, RefusesTablesThatAreNotMonotonic) {
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.false_match[1].threshold = 0.0; }),
              HasSubstr("ascend"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.false_match[0].rate = 0.05; }),
              HasSubstr("descend"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.false_non_match[0].rate = 0.2; }),
              HasSubstr("ascend"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.galleries[0].rows[1].rate = 0.7; }),
              HasSubstr("galleries"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { std::swap(one.galleries[0], one.galleries[1]); }),
              HasSubstr("galleries"));
}

TEST(CalibrationCheckTest, RefusesTablesThatDoNotEndInNothing) {
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.false_match.pop_back(); }),
              HasSubstr("rate 0"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.galleries[1].rows.pop_back(); }),
              HasSubstr("galleries"));
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.false_match.clear(); }),
              HasSubstr("false_match"));
}

TEST(CalibrationCheckTest, RefusesNumbersThatAreNone) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double bad : {kNan, kInfinity, -1.0}) {
    Calibration one = SampleCalibration();
    one.false_match[1].person_variance = bad;
    one.id = CalibrationId(one);
    EXPECT_THAT(CheckCalibration(one), StatusIs(StatusCode::kInvalidArgument)) << bad;
    one = SampleCalibration();
    one.galleries[0].rows[0].gallery_variance = bad;
    one.id = CalibrationId(one);
    EXPECT_THAT(CheckCalibration(one), StatusIs(StatusCode::kInvalidArgument)) << bad;
    one = SampleCalibration();
    one.probe_quality = bad;
    one.id = CalibrationId(one);
    EXPECT_THAT(CheckCalibration(one), StatusIs(StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(CalibrationCheckTest, RefusesAGalleryOfMorePeopleThanThereAre) {
  EXPECT_THAT(ErrorOfCalibration([](auto& one) { one.galleries[1].identities = 101; }),
              HasSubstr("galleries"));
}

}  // namespace
}  // namespace facegate
