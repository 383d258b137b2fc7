#include "trainer/command/import_card.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ModelCard CarriedCard() {
  ModelCard card;
  card.preprocessing.colour_order = ColourOrder::kBgr;
  card.training_data = "carried data";
  card.licence = "carried licence";
  card.origin = "carried origin";
  card.accuracy = {{.measure = "LFW", .value = 99.0, .unit = "%", .command = "eval"}};
  card.default_min_cosine = 0.3F;
  card.canary = Canary{.seed = 1, .embeddings = {{1.0F}}};
  return card;
}

TEST(MakeCardTest, RefusesToGuessTheAlignmentAndSaysWhatToGive) {
  const auto card = MakeCard(std::nullopt, {});
  EXPECT_THAT(card, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(card.status()), "--alignment");
  EXPECT_THAT(card.status().ToString(),
              AllOf(HasSubstr("--preset bubbliiiing or insightface"),
                    HasSubstr("--alignment arcface-112x112 or sphereface-96x112")));
}

TEST(MakeCardTest, KnowsTheBubbliiiingPreset) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard card,
                                MakeCard(std::nullopt, {.preset = "bubbliiiing"}));
  EXPECT_EQ(card.preprocessing, (Preprocessing{.alignment = AlignmentTemplate::kSphereFace96x112,
                                               .letterbox = true,
                                               .letterbox_grey = 128}));
  EXPECT_EQ(card.training_data, "CASIA-WebFace");
  EXPECT_THAT(card.licence, HasSubstr("MIT"));
  EXPECT_THAT(card.origin, HasSubstr("bubbliiiing/arcface-pytorch"));
}

TEST(MakeCardTest, KnowsTheInsightFacePreset) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard card,
                                MakeCard(std::nullopt, {.preset = "insightface"}));
  EXPECT_EQ(card.preprocessing, Preprocessing{});
  EXPECT_THAT(card.licence, HasSubstr("non-commercial"));
}

TEST(MakeCardTest, TakesAnAlignmentWithoutPresetAndLetterboxesWhereTheCropIsSmaller) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard square,
                                MakeCard(std::nullopt, {.alignment = "arcface-112x112"}));
  EXPECT_EQ(square.preprocessing, Preprocessing{});
  EXPECT_EQ(square.training_data, "not stated");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard narrow,
                                MakeCard(std::nullopt, {.alignment = "sphereface-96x112"}));
  EXPECT_TRUE(narrow.preprocessing.letterbox);
}

TEST(MakeCardTest, LetsOptionsOverrideAPreset) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard card,
                                MakeCard(std::nullopt, {.preset = "bubbliiiing",
                                                        .alignment = "arcface-112x112",
                                                        .letterbox_grey = 0,
                                                        .mirror = true,
                                                        .color = "bgr",
                                                        .mean = {1.0F},
                                                        .scale = {1.0F, 2.0F, 3.0F},
                                                        .default_min_cosine = 0.4F,
                                                        .training_data = "mine",
                                                        .licence = "none",
                                                        .origin = "here"}));
  EXPECT_EQ(card.preprocessing, (Preprocessing{.colour_order = ColourOrder::kBgr,
                                               .mean = {1.0F, 1.0F, 1.0F},
                                               .scale = {1.0F, 2.0F, 3.0F},
                                               .alignment = AlignmentTemplate::kArcFace112,
                                               .letterbox = false,
                                               .letterbox_grey = 0,
                                               .mirror_average = true}));
  EXPECT_EQ(card.default_min_cosine, 0.4F);
  EXPECT_EQ(card.training_data, "mine");
  EXPECT_EQ(card.licence, "none");
  EXPECT_EQ(card.origin, "here");
}

TEST(MakeCardTest, KeepsWhatACarriedCardSays) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard card, MakeCard(CarriedCard(), {.licence = "new"}));
  EXPECT_EQ(card.preprocessing, CarriedCard().preprocessing);
  EXPECT_EQ(card.training_data, "carried data");
  EXPECT_EQ(card.licence, "new");
  EXPECT_EQ(card.accuracy.size(), 1U);
  EXPECT_EQ(card.default_min_cosine, 0.3F);
  EXPECT_FALSE(card.canary.has_value());
}

TEST(MakeCardTest, TakesFiguresFromAFile) {
  const TempDir dir;
  const std::string path = dir.File("figures.json");
  std::ofstream(path) << R"([{"measure":"LFW","value":97.5,"unit":"%","command":"eval"}])";
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const ModelCard card,
      MakeCard(CarriedCard(), {.teacher = "t", .intended_use = "u", .figures = path}));
  ASSERT_EQ(card.accuracy.size(), 1U);
  EXPECT_EQ(card.accuracy[0].value, 97.5);
  EXPECT_EQ(card.teacher, "t");
  EXPECT_EQ(card.intended_use, "u");
  std::ofstream(path) << R"([{"measure":"LFW"}])";
  const auto broken = MakeCard(CarriedCard(), {.figures = path});
  EXPECT_THAT(broken, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(broken.status())), HasSubstr("figures.json"));
}

TEST(MakeCardTest, DropsFiguresThatAnotherPreprocessingMade) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelCard card, MakeCard(CarriedCard(), {.mirror = true}));
  EXPECT_TRUE(card.accuracy.empty());
  EXPECT_FALSE(card.default_min_cosine.has_value());
}

TEST(MakeCardTest, NamesTheOptionThatIsWrong) {
  const auto field = [](const CardOptions& options) {
    const auto card = MakeCard(std::nullopt, options);
    EXPECT_THAT(card, RefusedWith(Reason::kInvalidField));
    return FieldOf(card.status());
  };
  EXPECT_EQ(field({.preset = "x"}), "--preset");
  EXPECT_EQ(field({.alignment = "x"}), "--alignment");
  EXPECT_EQ(field({.preset = "insightface", .letterbox_grey = 300}), "--letterbox-grey");
  EXPECT_EQ(field({.preset = "insightface", .color = "x"}), "--color");
  EXPECT_EQ(field({.preset = "insightface", .mean = {1.0F, 2.0F}}), "--mean");
  EXPECT_EQ(field({.preset = "insightface", .scale = {1.0F, 2.0F}}), "--scale");
  EXPECT_EQ(field({.preset = "bubbliiiing", .letterbox = false}), "--no-letterbox");
}

}  // namespace
}  // namespace facegate
