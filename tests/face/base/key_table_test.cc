#include "face/base/key_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Why = KeyFault::Reason;

struct Settings {
  bool fast = false;
  int64_t batch = 8;
  uint64_t seed = 1;
  double rate = 0.1;
  std::optional<double> margin{};
  std::string kind = "sgd";
  std::string note{};
  std::vector<double> milestones{};
  std::vector<std::string> folders{};
};

KeyTable SettingsKeys(Settings& s) {
  return {
      {"run.fast", &s.fast, "Be fast."},
      {"run.batch", &s.batch, InRange(1, 1 << 20), "Photos in a batch."},
      {"run.seed", &s.seed, InRange(0, 1e18), "The seed."},
      {"run.rate", &s.rate, NumberRange{.min = 1e-12, .max = NumberRange::kInfinity}, "The rate."},
      {"head.margin", &s.margin, InRange(0.0, 3.14), "The margin."},
      {"head.kind", &s.kind, OneOf({"sgd", "adam"}), "The kind."},
      {"head.note", &s.note, Example("none"), "A note."},
      {"head.milestones", &s.milestones, InRange(0.0, 1e6), "The milestones."},
      {"head.folders", &s.folders, "The folders."},
  };
}

class KeyTableTest : public ::testing::Test {
 protected:
  const Key& At(std::string_view name) const { return *keys_.Find(name); }
  std::optional<KeyFault> Set(std::string_view name, const std::vector<std::string>& texts) const {
    return At(name).Set(texts);
  }

  Settings settings_;
  const KeyTable keys_ = SettingsKeys(settings_);
};

TEST_F(KeyTableTest, SetsAMemberOfEachKind) {
  EXPECT_FALSE(Set("run.fast", {"true"}));
  EXPECT_FALSE(Set("run.batch", {"32"}));
  EXPECT_FALSE(Set("run.seed", {"1000000000000000000"}));
  EXPECT_FALSE(Set("run.rate", {"2.5e-3"}));
  EXPECT_FALSE(Set("head.kind", {"adam"}));
  EXPECT_FALSE(Set("head.note", {"a b"}));
  EXPECT_FALSE(Set("head.milestones", {"1", "2.5"}));
  EXPECT_FALSE(Set("head.folders", {"a", "b c"}));
  EXPECT_TRUE(settings_.fast);
  EXPECT_EQ(settings_.batch, 32);
  EXPECT_EQ(settings_.seed, 1000000000000000000U);
  EXPECT_EQ(settings_.rate, 2.5e-3);
  EXPECT_EQ(settings_.kind, "adam");
  EXPECT_EQ(settings_.note, "a b");
  EXPECT_THAT(settings_.milestones, ElementsAre(1.0, 2.5));
  EXPECT_THAT(settings_.folders, ElementsAre("a", "b c"));
}

TEST_F(KeyTableTest, TakesAutoForNoNumber) {
  EXPECT_FALSE(Set("head.margin", {"0.5"}));
  EXPECT_EQ(settings_.margin, 0.5);
  EXPECT_FALSE(Set("head.margin", {"auto"}));
  EXPECT_EQ(settings_.margin, std::nullopt);
}

TEST_F(KeyTableTest, SaysWhatIsWrongWithAText) {
  const auto reason = [&](std::string_view name, const std::vector<std::string>& texts) {
    const auto fault = Set(name, texts);
    return fault ? std::optional(fault->reason) : std::nullopt;
  };
  for (const char* const text :
       {"", "many", "4.5", "4x", " 4", "+4", "0x10", "9999999999999999999"})
    EXPECT_EQ(reason("run.batch", {text}), Why::kWrongKind) << text;
  for (const char* const text : {"0", "-1", "1048577"})
    EXPECT_EQ(reason("run.batch", {text}), Why::kOutOfRange) << text;
  for (const char* const text : {"0", "-inf", "nan"})
    EXPECT_EQ(reason("run.rate", {text}), Why::kOutOfRange) << text;
  for (const char* const text : {"True", "1", "yes", ""})
    EXPECT_EQ(reason("run.fast", {text}), Why::kWrongKind) << text;
  EXPECT_EQ(reason("run.seed", {"-1"}), Why::kWrongKind);
  EXPECT_EQ(reason("head.margin", {"4"}), Why::kOutOfRange);
  EXPECT_EQ(reason("head.kind", {"adan"}), Why::kNoChoice);
  EXPECT_EQ(reason("head.note", {"a", "b"}), Why::kWrongKind);
  EXPECT_EQ(reason("head.note", {}), Why::kWrongKind);
}

TEST_F(KeyTableTest, NamesTheBadValueOfAListAndLeavesTheMember) {
  settings_.milestones = {7.0};
  const auto fault = Set("head.milestones", {"1", "-2", "x"});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->text, "-2");
  EXPECT_THAT(settings_.milestones, ElementsAre(7.0));
}

TEST_F(KeyTableTest, ItsTextsSetTheSameValues) {
  settings_ = {.fast = true,
               .batch = 3,
               .seed = 9,
               .rate = 0.1 + 0.2,
               .margin = 0.35,
               .kind = "adam",
               .note = "a: \"b\"",
               .milestones = {0.1, 1e6},
               .folders = {"a", ""}};
  Settings other;
  const KeyTable others = SettingsKeys(other);
  for (const Key& key : keys_) {
    EXPECT_FALSE(others.Find(key.name())->Set(key.Texts())) << key.name();
    EXPECT_EQ(others.Find(key.name())->Texts(), key.Texts()) << key.name();
  }
  EXPECT_EQ(other.rate, settings_.rate);
  EXPECT_EQ(other.margin, settings_.margin);
}

TEST_F(KeyTableTest, SaysWhatIsAllowedAsItWasWritten) {
  EXPECT_EQ(At("run.batch").limits().text, "1 to 1048576");
  EXPECT_EQ(At("run.seed").limits().text, "0 to 1e+18");
  EXPECT_EQ(At("run.rate").limits().text, "1e-12 or more");
  EXPECT_EQ(At("head.kind").limits().text, "sgd, adam");
  EXPECT_THAT(At("head.folders").limits().text, IsEmpty());
}

TEST_F(KeyTableTest, NamesTheKindOfEachKey) {
  EXPECT_EQ(At("run.fast").KindText(), "true or false");
  EXPECT_EQ(At("run.seed").KindText(), "a whole number");
  EXPECT_EQ(At("run.rate").KindText(), "a number");
  EXPECT_EQ(At("head.margin").KindText(), "a number or auto");
  EXPECT_EQ(At("head.note").KindText(), "a text");
  EXPECT_EQ(At("head.milestones").KindText(), "a list of numbers");
  EXPECT_EQ(At("head.folders").KindText(), "a list of texts");
}

TEST_F(KeyTableTest, NamesTheKeyThatMayHaveBeenMeant) {
  EXPECT_EQ(keys_.Find("run.bacth"), nullptr);
  EXPECT_EQ(keys_.MeantKey("run.bacth"), "; did you mean \"run.batch\"?");
  EXPECT_EQ(keys_.MeantKey("batch"), "; did you mean \"run.batch\"?");
  EXPECT_EQ(keys_.MeantKey("head.milestone"), "; did you mean \"head.milestones\"?");
  EXPECT_EQ(keys_.MeantKey("schedule.milestone"), "; did you mean \"head.milestones\"?");
  EXPECT_EQ(keys_.MeantKey("nothing.at_all"), "");
  EXPECT_EQ(At("head.kind").MeantChoice("adan"), "; did you mean \"adam\"?");
  EXPECT_EQ(At("head.kind").MeantChoice("momentum"), "");
}

}  // namespace
}  // namespace facegate
