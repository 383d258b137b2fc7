// Folds of photos and of people (holdout.folds).
#include <map>
#include <set>

#include "tests/trainer/run/training_data_fixture.h"
#include "trainer/run/photo_split.h"
#include "trainer/run/recipe.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class FoldsTest : public TrainingDataTest {
 protected:
  static std::string Refusal(const std::function<void(Recipe&)>& change) {
    Recipe recipe;
    recipe.data.train = {"/faces"};
    recipe.card.training_data = "faces";
    recipe.holdout.folds = 5;
    change(recipe);
    return std::string(MessageOf(CheckRecipe(recipe)));
  }
};

TEST_F(FoldsTest, AllTogetherHaveEachPhotoOnce) {
  DataOptions options;
  options.train = {Folder("a", 7, 9)};
  options.holdout_folds = 4;
  std::map<std::string, int> kept;
  for (options.holdout_fold = 0; options.holdout_fold < 4; ++options.holdout_fold) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
    EXPECT_EQ(data.training->size() + data.validation->size(), 63U);
    EXPECT_THAT(data.validation->size(), AnyOf(15U, 16U)) << "folds are alike large";
    std::map<uint32_t, size_t> of_person;
    for (size_t i = 0; i < data.validation->size(); ++i) {
      kept[data.validation->name(i)] += 1;
      of_person[data.validation->label(i)] += 1;
    }
    EXPECT_EQ(of_person.size(), 7U);
    for (const auto& [label, count] : of_person) EXPECT_THAT(count, AnyOf(2U, 3U)) << label;
    for (size_t i = 0; i < data.training->size(); ++i) {
      EXPECT_LT(data.training->label(i), 7U);
    }
  }
  EXPECT_EQ(kept.size(), 63U);
  for (const auto& [name, count] : kept) EXPECT_EQ(count, 1) << name;
}

TEST_F(FoldsTest, PeopleWithFewPhotosAreSaidAndAlwaysLearned) {
  DataOptions options;
  options.holdout_folds = 5;
  std::vector<int> kept(4, 0);
  for (options.holdout_fold = 0; options.holdout_fold < 5; ++options.holdout_fold) {
    PhotoSplit split(options);
    std::vector<size_t> alone = {0};
    EXPECT_EQ(split.KeptFirst(0, alone), 0U);
    std::vector<size_t> three = {1, 2, 3};
    const size_t first = split.KeptFirst(1, three);
    EXPECT_LE(first, 1U);
    for (size_t i = 0; i < first; ++i) kept[three[i]] += 1;
    EXPECT_THAT(split.FoldNote().value_or(""),
                AllOf(HasSubstr("of 0 to 4"), HasSubstr("1 identity with fewer photos"),
                      HasSubstr("1 identity with one photo, which is always trained on")));
  }
  EXPECT_THAT(kept, ::testing::ElementsAre(0, 1, 1, 1));
}

TEST_F(FoldsTest, FollowFromTheSeed) {
  DataOptions options;
  options.train = {Folder("a", 4, 6)};
  options.holdout_folds = 3;
  ExpectToFollowFromTheSeed(options);
}

TEST_F(FoldsTest, OfPeopleHaveEachPersonOnce) {
  DataOptions options;
  options.train = {Folder("a", 11, 5)};
  options.holdout_folds = 3;
  options.holdout_folds_of_people = true;
  options.holdout_pairs = 20;
  std::map<uint32_t, int> held_out;
  for (options.holdout_fold = 0; options.holdout_fold < 3; ++options.holdout_fold) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
    EXPECT_EQ(data.validation, nullptr);
    ASSERT_EQ(data.sets.size(), 1U);
    std::set<uint32_t> people;
    for (const size_t photo : data.sets[0].photos) {
      people.insert(data.sets[0].source->label(photo));
    }
    EXPECT_EQ(people.size() + data.identities, 11U);
    for (const uint32_t person : people) held_out[person] += 1;
    EXPECT_THAT(data.notes, Contains(HasSubstr("of 0 to 2 has")));
  }
  EXPECT_EQ(held_out.size(), 11U);
  for (const auto& [person, count] : held_out) EXPECT_EQ(count, 1) << person;
}

TEST_F(FoldsTest, SaysWhatIsTooFew) {
  DataOptions options;
  options.train = {Folder("a", 5, 3)};
  options.holdout_folds = 3;
  options.holdout_folds_of_people = true;
  EXPECT_THAT(std::string(MessageOf(OpenTrainingData(options).status())),
              HasSubstr("holdout.folds is 3, but only 5 identities"));
  options.train = {Folder("b", 3, 1)};
  options.holdout_folds_of_people = false;
  EXPECT_THAT(std::string(MessageOf(OpenTrainingData(options).status())),
              HasSubstr("of 3 photos none is kept"));
}

TEST_F(FoldsTest, RefusesWhatDoesNotGoTogether) {
  EXPECT_EQ(Refusal([](Recipe&) {}), "");
  EXPECT_THAT(Refusal([](Recipe& r) { r.holdout.folds = 1; }), HasSubstr("at least 2"));
  EXPECT_THAT(Refusal([](Recipe& r) { r.holdout.fold = 5; }), HasSubstr("folds are 0 to 4"));
  EXPECT_THAT(Refusal([](Recipe& r) { r.holdout.share = 0.1; }), HasSubstr("holdout.share"));
  EXPECT_THAT(Refusal([](Recipe& r) { r.machine.processes = 2; }), HasSubstr("holdout.folds"));
  EXPECT_THAT(Refusal([](Recipe& r) {
                r.holdout.fold_by = "people";
                r.holdout.identities = 4;
              }),
              HasSubstr("holdout.identities"));
  EXPECT_THAT(Refusal([](Recipe& r) {
                r.holdout.fold_by = "people";
                r.checkpoint.best_by = "validation";
              }),
              HasSubstr("holdout.folds of photos"));
}

}  // namespace
}  // namespace facegate
