#include "face/weights/model_card.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "face/weights/json_number.h"
#include "face/weights/model_card_reader.h"
#include "tests/support/sample_calibration.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

ModelCard SampleCard() {
  ModelCard card;
  card.architecture = "mobilefacenet-128";
  card.embedding_size = 2;
  card.preprocessing = {.colour_order = ColourOrder::kBgr,
                        .mean = {1.5F, 0.1F, 3.0F},
                        .scale = {1 / 255.0F, 1e-10F, -2.0F},
                        .alignment = AlignmentTemplate::kSphereFace96x112,
                        .letterbox = true,
                        .letterbox_grey = 17,
                        .mirror_average = true};
  card.model_digest = std::string(64, 'a');
  card.preprocessing_digest = PreprocessingDigest(card.preprocessing);
  card.training_data = "faces \"quoted\", \xc3\xa4";
  card.licence = "MIT";
  card.origin = "a\nb";
  card.teacher = "another";
  card.recipe = "data.batch: 32\n";
  card.intended_use = "doors";
  card.unintended_use = "streets";
  card.accuracy = {{"LFW", 99.55, "%", "facegate-train eval"}};
  card.default_min_cosine = 0.35F;
  card.canary = Canary{.seed = std::numeric_limits<uint64_t>::max(),
                       .embeddings = {{0.6F, 0.8F}, {std::sqrt(0.5F), -std::sqrt(0.5F)}}};
  card.calibration = SampleCalibration();
  card.calibration->preprocessing_digest = card.preprocessing_digest;
  card.calibration->id = CalibrationId(*card.calibration);
  return card;
}

// The error for the sample's JSON after `change`.
std::string ErrorAfter(const std::function<void(Json&)>& change) {
  Json json = Json::parse(ModelCardToJson(SampleCard()));
  change(json);
  const auto card = ModelCardFromJson(json.dump());
  EXPECT_THAT(card, StatusIs(StatusCode::kInvalidArgument)) << json.dump();
  return card.ok() ? "" : std::string(MessageOf(card.status()));
}

TEST(ModelCardTest, RefusesACalibrationOfAnotherModel) {
  EXPECT_THAT(ErrorAfter([](Json& json) { json["model_digest"] = std::string(64, 'c'); }),
              HasSubstr("\"calibration\" is of another model"));
  EXPECT_THAT(ErrorAfter([](Json& json) { json["preprocessing_digest"] = std::string(64, 'c'); }),
              HasSubstr("\"calibration\" is of another model"));
}

TEST(ModelCardTest, RefusesACalibrationThatDoesNotAddUp) {
  EXPECT_THAT(ErrorAfter([](Json& json) { json["calibration"]["people"] = 100; }),
              HasSubstr("impostor_pairs"));
  EXPECT_THAT(ErrorAfter([](Json& json) { json["calibration"] = 1; }),
              HasSubstr("calibration field"));
}

TEST(ModelCardTest, ReadsBackEveryFieldExactly) {
  const ModelCard card = SampleCard();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard read, ModelCardFromJson(ModelCardToJson(card)));
  EXPECT_EQ(read.architecture, card.architecture);
  EXPECT_EQ(read.embedding_size, card.embedding_size);
  EXPECT_EQ(read.preprocessing, card.preprocessing);
  EXPECT_EQ(read.model_digest, card.model_digest);
  EXPECT_EQ(read.preprocessing_digest, card.preprocessing_digest);
  EXPECT_EQ(read.training_data, card.training_data);
  EXPECT_EQ(read.licence, card.licence);
  EXPECT_EQ(read.origin, card.origin);
  EXPECT_EQ(read.teacher, "another");
  EXPECT_EQ(read.recipe, "data.batch: 32\n");
  EXPECT_EQ(read.intended_use, "doors");
  EXPECT_EQ(read.unintended_use, "streets");
  ASSERT_EQ(read.accuracy.size(), 1U);
  EXPECT_EQ(read.accuracy[0].measure, "LFW");
  EXPECT_EQ(read.accuracy[0].value, 99.55);
  EXPECT_EQ(read.accuracy[0].unit, "%");
  EXPECT_EQ(read.accuracy[0].command, "facegate-train eval");
  EXPECT_EQ(read.default_min_cosine, card.default_min_cosine);
  ASSERT_TRUE(read.canary.has_value());
  EXPECT_EQ(read.canary->seed, card.canary->seed);
  EXPECT_EQ(read.canary->embeddings, card.canary->embeddings);
  ASSERT_TRUE(read.calibration.has_value());
  EXPECT_EQ(CalibrationToJson(*read.calibration), CalibrationToJson(*card.calibration));
  EXPECT_EQ(ModelCardToJson(read), ModelCardToJson(card));
}

TEST(ModelCardTest, NeedsNoOptionalField) {
  ModelCard card = SampleCard();
  card.teacher = card.recipe = card.intended_use = card.unintended_use = "";
  card.accuracy.clear();
  card.default_min_cosine.reset();
  card.canary.reset();
  card.calibration.reset();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard read, ModelCardFromJson(ModelCardToJson(card)));
  EXPECT_TRUE(read.accuracy.empty());
  EXPECT_EQ(ModelCardToJson(card).find("\"teacher\""), std::string::npos);
  EXPECT_FALSE(read.default_min_cosine.has_value());
  EXPECT_FALSE(read.canary.has_value());
  EXPECT_FALSE(read.calibration.has_value());
}

TEST(ModelCardTest, NamesUnknownFieldsAtEveryLevel) {
  EXPECT_THAT(ErrorAfter([](Json& json) { json["tta"] = 1; }), HasSubstr("\"tta\" is unknown"));
  EXPECT_THAT(ErrorAfter([](Json& json) { json["preprocessing"]["gamma"] = 2; }),
              HasSubstr("\"preprocessing.gamma\" is unknown"));
  EXPECT_THAT(ErrorAfter([](Json& json) { json["accuracy"][0]["n"] = 2; }),
              HasSubstr("\"accuracy[0].n\" is unknown"));
  EXPECT_THAT(ErrorAfter([](Json& json) { json["canary"]["x"] = 2; }),
              HasSubstr("\"canary.x\" is unknown"));
}

TEST(ModelCardTest, NamesMissingFields) {
  for (const char* key :
       {"format_version", "architecture", "embedding_size", "preprocessing", "model_digest",
        "preprocessing_digest", "training_data", "licence", "origin"}) {
    EXPECT_THAT(ErrorAfter([&](Json& json) { json.erase(key); }), HasSubstr(key));
  }
  const Json preprocessing = Json::parse(PreprocessingJson({}));
  for (const auto& [key, value] : preprocessing.items()) {
    EXPECT_THAT(ErrorAfter([&](Json& json) { json["preprocessing"].erase(key); }),
                HasSubstr("\"preprocessing." + key + "\" is missing"));
  }
}

TEST(ModelCardTest, RefusesValuesOutOfRange) {
  const auto error = [](const char* pointer, const Json& value) {
    return ErrorAfter([&](Json& json) { json[Json::json_pointer(pointer)] = value; });
  };
  EXPECT_THAT(error("/format_version", 2), HasSubstr("format_version\" is 2"));
  EXPECT_THAT(error("/architecture", ""), HasSubstr("architecture"));
  EXPECT_THAT(error("/embedding_size", 0), HasSubstr("expected a whole number of 1 to 4096"));
  EXPECT_THAT(error("/embedding_size", 4097), HasSubstr("4097"));
  EXPECT_THAT(error("/embedding_size", 2.0), HasSubstr("whole number"));
  EXPECT_THAT(error("/embedding_size", 18446744073709551615ULL), HasSubstr("18446744073709551615"));
  EXPECT_THAT(error("/embedding_size", "2"), HasSubstr("of type string"));
  EXPECT_THAT(error("/preprocessing", Json::array()), HasSubstr("is not an object"));
  EXPECT_THAT(error("/preprocessing/input_width", 0), HasSubstr("preprocessing.input_width"));
  EXPECT_THAT(error("/preprocessing/input_height", 100'000), HasSubstr("input_height"));
  EXPECT_THAT(error("/preprocessing/colour_order", "grb"), HasSubstr("none of rgb, bgr and grey"));
  EXPECT_THAT(error("/preprocessing/alignment", "square"), HasSubstr("alignment"));
  EXPECT_THAT(error("/preprocessing/letterbox", 1), HasSubstr("neither true nor false"));
  EXPECT_THAT(error("/preprocessing/letterbox", false), HasSubstr("a crop of 96x112"));
  EXPECT_THAT(error("/preprocessing/letterbox_grey", 256), HasSubstr("0 to 255"));
  EXPECT_THAT(error("/preprocessing/mean", Json::array({1, 2})), HasSubstr("three numbers"));
  EXPECT_THAT(error("/preprocessing/mean/1", "x"), HasSubstr("preprocessing.mean"));
  EXPECT_THAT(error("/preprocessing/mean/1", 1e7), HasSubstr("preprocessing.mean"));
  EXPECT_THAT(error("/preprocessing/scale/2", 0), HasSubstr("has a 0"));
  EXPECT_THAT(error("/preprocessing/scale/2", 1e-60), HasSubstr("has a 0"));
  EXPECT_THAT(error("/model_digest", "abc"), HasSubstr("64 lower-case hexadecimal"));
  EXPECT_THAT(error("/model_digest", std::string(64, 'A')), HasSubstr("model_digest"));
  EXPECT_THAT(error("/licence", Json()), HasSubstr("licence\" is not text"));
  EXPECT_THAT(error("/origin", std::string(70'000, 'x')), HasSubstr("limit is 65536"));
  EXPECT_THAT(error("/accuracy/0/value", "99"), HasSubstr("accuracy[0].value"));
  EXPECT_THAT(error("/default_min_cosine", 1.01), HasSubstr("expected a number of -1 to 1"));
  EXPECT_THAT(error("/default_min_cosine", Json()), HasSubstr("default_min_cosine"));
  EXPECT_THAT(error("/canary/seed", -1), HasSubstr("canary.seed"));
  EXPECT_THAT(error("/canary/embeddings", Json::array()), HasSubstr("1 to 64"));
  EXPECT_THAT(error("/canary/embeddings/1", Json::array({1.0})), HasSubstr("is not 2 numbers"));
  EXPECT_THAT(error("/canary/embeddings/1/0", 0.1), HasSubstr("canary.embeddings[1]"));
  EXPECT_THAT(error("/canary/embeddings/1/0", "x"), HasSubstr("canary.embeddings[1]"));
}

TEST(ModelCardTest, RefusesWhatIsNoStrictJson) {
  for (const std::string_view broken : {"", "{", "[]", "1", "null", "{\"a\":1}{}", "{\"a\":NaN}"}) {
    EXPECT_THAT(ModelCardFromJson(broken), StatusIs(StatusCode::kInvalidArgument)) << broken;
  }
  std::string twice = ModelCardToJson(SampleCard());
  twice.insert(1, R"("licence":"x",)");
  EXPECT_THAT(ModelCardFromJson(twice).status().ToString(), HasSubstr("\"licence\" stands twice"));
  EXPECT_THAT(ModelCardFromJson(std::string(3'000'000, '[')).status().ToString(),
              HasSubstr("deeper than 8"));
  EXPECT_THAT(ModelCardFromJson(std::string(5'000'000, ' ')).status().ToString(),
              HasSubstr("limit is 4194304"));
}

TEST(ModelCardTest, RefusesEveryTruncationAndSurvivesEveryBitFlip) {
  const std::string json = ModelCardToJson(SampleCard());
  for (size_t size = 0; size < json.size(); ++size) {
    EXPECT_THAT(ModelCardFromJson(json.substr(0, size)), StatusIs(StatusCode::kInvalidArgument));
  }
  for (size_t i = 0; i < json.size() * 8; ++i) {
    std::string flipped = json;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    const auto card = ModelCardFromJson(flipped);
    EXPECT_TRUE(card.ok() || card.status().code() == StatusCode::kInvalidArgument);
  }
}

TEST(PreprocessingDigestTest, StaysWhatStoredDigestsWereMadeWith) {
  EXPECT_EQ(
      PreprocessingJson({}),
      R"({"alignment":"arcface-112x112","colour_order":"rgb","input_height":112,)"
      R"("input_width":112,"letterbox":false,"letterbox_grey":128,"mean":[127.5,127.5,127.5],)"
      R"("mirror_average":false,"scale":[0.007843138,0.007843138,0.007843138]})");
  EXPECT_EQ(PreprocessingDigest({}),
            "379619717e296c62accfcb3d92855b1ba98998b87c656c9f1c4c9e551d8baf27");
}

TEST(PreprocessingDigestTest, ChangesWithEachField) {
  std::vector<Preprocessing> all(10);
  all[1].input_width = 113;
  all[2].input_height = 113;
  all[3].colour_order = ColourOrder::kBgr;
  all[4].mean[2] = std::nextafter(127.5F, 200.0F);
  all[5].scale[0] = std::nextafter(all[5].scale[0], 1.0F);
  all[6].alignment = AlignmentTemplate::kSphereFace96x112;
  all[7].letterbox = true;
  all[8].letterbox_grey = 127;
  all[9].mirror_average = true;
  std::set<std::string> digests;
  for (const Preprocessing& preprocessing : all) {
    digests.insert(PreprocessingDigest(preprocessing));
  }
  EXPECT_EQ(digests.size(), all.size());
}

TEST(JsonNumberTest, IsShortestAndReadsBack) {
  EXPECT_EQ(JsonNumber(0.1F), "0.1");
  EXPECT_EQ(JsonNumber(128.0F), "128");
  EXPECT_EQ(JsonNumber(1e20F), "1e+20");
  EXPECT_EQ(JsonNumber(-0.000001F), "-1e-06");
  EXPECT_EQ(JsonNumber(99.55), "99.55");
  uint32_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 1664525U + 1013904223U;
    const float value = std::bit_cast<float>(state);
    if (!std::isfinite(value)) continue;
    const Json json = Json::parse(JsonNumber(value));
    EXPECT_EQ(static_cast<float>(json.get<double>()), value);
  }
}

}  // namespace
}  // namespace facegate
