#include "trainer/run/training_data.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "face/base/file.h"
#include "tests/support/set_bytes.h"
#include "tests/trainer/run/training_data_fixture.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

std::string PersonOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().filename().string();
}

TEST_F(TrainingDataTest, TrainsOnNobodyWhoIsHeldOut) {
  DataOptions options;
  options.train = {Folder("a", 8, 4)};
  options.holdout_identities = 3;
  options.holdout_pairs = 30;
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->identities, 5u);
  EXPECT_EQ(data->labelled, 20u);
  ASSERT_EQ(data->sets.size(), 1u);
  const EvaluationSet& set = data->sets[0];
  std::set<std::string> held_out;
  for (const size_t photo : set.photos) held_out.insert(PersonOf(set.source->name(photo)));
  EXPECT_EQ(held_out.size(), 3u);
  for (size_t i = 0; i < data->training->size(); ++i) {
    EXPECT_FALSE(held_out.contains(PersonOf(data->training->name(i))));
    EXPECT_LT(data->training->label(i), 5u);
  }
}

TEST_F(TrainingDataTest, MakesPairsOfBothKindsInEachFold) {
  DataOptions options;
  options.train = {Folder("a", 6, 6)};
  options.holdout_identities = 4;
  options.holdout_pairs = 100;
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  const EvaluationSet& set = data->sets[0];
  ASSERT_EQ(set.pairs.size(), 100u);
  std::set<std::pair<size_t, size_t>> seen;
  for (size_t i = 0; i < set.pairs.size(); ++i) {
    const auto& pair = set.pairs[i];
    EXPECT_EQ(pair.same, i % 2 == 0);
    EXPECT_EQ(pair.same, PersonOf(set.source->name(set.photos[pair.first])) ==
                             PersonOf(set.source->name(set.photos[pair.second])));
    EXPECT_TRUE(seen.insert(std::minmax(pair.first, pair.second)).second);
  }
}

TEST_F(TrainingDataTest, FollowsFromTheSeed) {
  DataOptions options;
  options.train = {Folder("a", 8, 4)};
  options.holdout_identities = 3;
  options.holdout_pairs = 30;
  ExpectToFollowFromTheSeed(options);
}

TEST_F(TrainingDataTest, MixesSetsAndGeneratedPeople) {
  DataOptions options;
  options.train = {Folder("a", 3, 2), Folder("b", 2, 2)};
  options.unlabelled = {Folder("u", 2, 3)};
  options.synthetic_identities = 2;
  options.synthetic_views = 2;
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->identities, 7u) << "people of the same folder name are two people";
  EXPECT_EQ(data->labelled, 14u);
  EXPECT_EQ(data->synthetic, 2u);
  EXPECT_EQ(data->training->size(), 20u);
  for (size_t i = 14; i < 20; ++i) EXPECT_EQ(data->training->label(i), Dataset::kUnlabelled);
  for (size_t i = 10; i < 14; ++i) {
    const auto crop = data->training->Load(i);
    ASSERT_THAT(crop, IsOk());
    EXPECT_EQ(crop->size(), cv::Size(112, 112));
  }
}

// The option was taken and forgotten: training saw whole pictures, evaluation their middles.
TEST_F(TrainingDataTest, CutsTheMiddleForTrainingAndEvaluationAlike) {
  DataOptions options;
  options.train = {Folder("a", 4, 4)};
  options.holdout_identities = 2;
  options.holdout_pairs = 20;
  options.centre_crop = 56;
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  const auto whole_differs = [](const Dataset& dataset, size_t photo) {
    const auto cut = dataset.Load(photo);
    EXPECT_THAT(cut, IsOk());
    const cv::Mat whole = cv::imread(dataset.name(photo));
    cv::Mat middle;
    cv::resize(whole(cv::Rect(28, 28, 56, 56)), middle, {112, 112});
    EXPECT_EQ(cut->size(), whole.size());
    EXPECT_LT(cv::norm(*cut, middle, cv::NORM_L1), 0.5 * cv::norm(*cut, whole, cv::NORM_L1));
  };
  whole_differs(*data->training, 0);
  whole_differs(*data->sets[0].source, data->sets[0].photos[0]);
}

TEST_F(TrainingDataTest, TrainingMayCutElsewhereThanEvaluation) {
  DataOptions options;
  options.train = {Folder("a", 4, 4)};
  options.holdout_identities = 2;
  options.holdout_pairs = 20;
  options.centre_crop = 56;
  options.random_crop = 1.0;
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  const cv::Mat middle = data->training->Load(0).value();
  RandomStream one(1);
  RandomStream same(1);
  RandomStream other(2);
  const cv::Mat varied = data->training->LoadVaried(0, one).value();
  EXPECT_GT(cv::norm(varied, middle, cv::NORM_L1), 0.0);
  EXPECT_EQ(cv::norm(varied, data->training->LoadVaried(0, same).value(), cv::NORM_L1), 0.0);
  EXPECT_GT(cv::norm(varied, data->training->LoadVaried(0, other).value(), cv::NORM_L1), 0.0);
}

TEST_F(TrainingDataTest, LeavesOutWhatAListNames) {
  DataOptions options;
  options.train = {Folder("a", 3, 2)};
  const std::string bad = dir_.File("a/p01/1.png");
  ASSERT_THAT(WriteFileAtomically(dir_.File("bad.txt"), bad + "\n"), IsOk());
  options.leave_out = dir_.File("bad.txt");
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->training->size(), 5u);
  for (size_t i = 0; i < data->training->size(); ++i) EXPECT_NE(data->training->name(i), bad);
  options.leave_out = dir_.File("absent.txt");
  EXPECT_FALSE(OpenTrainingData(options).ok());
}

// The names are longer than what is shown of them.
TEST_F(TrainingDataTest, LeavesOutOnePhotoOfAnArchiveWhoseNamesAreNoText) {
  const std::string photo = Encode(SyntheticCrop(1), ".png");
  std::vector<ArchivedFile> members;
  for (int i = 0; i < 6; ++i) {
    members.push_back(
        {.name = fmt::format("p{}/{}{}.png", i / 2, std::string(100, '\xb9'), i), .bytes = photo});
  }
  DataOptions options;
  options.train = {dir_.File("set.zip")};
  options.leave_out = dir_.File("bad.txt");
  ASSERT_THAT(WriteFileAtomically(options.train[0], ZipOf(members)), IsOk());
  const std::string bad = options.train[0] + ", " + members[2].name;
  ASSERT_THAT(WriteFileAtomically(options.leave_out, bad + "\n"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
  EXPECT_EQ(data.training->size(), 5u);
}

// link/.. is the folder above that to which the link leads.
TEST_F(TrainingDataTest, LeavesOutPathsThatLeadThroughALink) {
  DataOptions options;
  options.train = {Folder("real/a", 3, 2)};
  std::filesystem::create_directory_symlink(dir_.File("real/a"), dir_.File("link"));
  options.leave_out = dir_.File("bad.txt");
  ASSERT_THAT(WriteFileAtomically(options.leave_out, "link/../a/p01/1.png\n"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
  EXPECT_EQ(data.training->size(), 5u);
}

TEST_F(TrainingDataTest, LeavesOutPathsBelowTheRoot) {
  Folder("a", 3, 2);
  DataOptions options;
  options.root = dir_.path();
  options.train = {dir_.File("a")};
  std::filesystem::create_directories(dir_.File("lists"));
  options.leave_out = dir_.File("lists/bad.txt");
  ASSERT_THAT(WriteFileAtomically(options.leave_out, "a/p01/1.png\na/p01/1.png\na/p09/1.png\n"),
              IsOk());
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->training->size(), 5u);
  EXPECT_THAT(data->notes, ::testing::ElementsAre(::testing::AllOf(HasSubstr("1 of 3 lines"),
                                                                   HasSubstr("a/p09/1.png"))));
}

TEST_F(TrainingDataTest, LeavesOutPathsBelowTheListsFolderWithoutARoot) {
  DataOptions options;
  options.train = {Folder("a", 3, 2)};
  options.leave_out = dir_.File("bad.txt");
  ASSERT_THAT(WriteFileAtomically(options.leave_out, "a/p01/1.png\n"), IsOk());
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->training->size(), 5u);
}

TEST_F(TrainingDataTest, RefusesAListOfWhichNothingIsThere) {
  DataOptions options;
  options.train = {Folder("a", 3, 2)};
  options.leave_out = dir_.File("bad.txt");
  ASSERT_THAT(WriteFileAtomically(options.leave_out, "elsewhere/1.png\n"), IsOk());
  const auto data = OpenTrainingData(options);
  EXPECT_THAT(std::string(MessageOf(data.status())), HasSubstr("1 of 1 lines of data.leave_out"));
}

// CelebA keeps its list and its pictures in two folders.
TEST_F(TrainingDataTest, ReadsListsBelowTheRoot) {
  Folder("Img", 3, 2);
  std::filesystem::create_directories(dir_.File("Anno"));
  std::string lines;
  for (int person = 0; person < 3; ++person) {
    for (int i = 0; i < 2; ++i) lines += fmt::format("p0{}/{}.png {}\n", person, i, person + 1);
  }
  ASSERT_THAT(WriteFileAtomically(dir_.File("Anno/identity.txt"), lines), IsOk());
  DataOptions options;
  options.root = dir_.File("Img");
  options.train = {dir_.File("Anno/identity.txt")};
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_THAT(data->training->Load(0), IsOk());
}

TEST_F(TrainingDataTest, AreTheSamePhotosInAnotherPlace) {
  DataOptions options;
  options.train = {Folder("a", 8, 4)};
  options.holdout_identities = 3;
  options.holdout_pairs = 30;
  const auto before = OpenTrainingData(options);
  std::filesystem::create_directories(dir_.File("moved"));
  std::filesystem::rename(dir_.File("a"), dir_.File("moved/b"));
  options.train = {dir_.File("moved/b")};
  const auto moved = OpenTrainingData(options);
  std::filesystem::rename(dir_.File("moved/b/p00"), dir_.File("moved/b/q00"));
  const auto other = OpenTrainingData(options);
  ASSERT_TRUE(before.ok() && moved.ok() && other.ok());
  EXPECT_EQ(before->digest, moved->digest);
  EXPECT_NE(moved->digest, other->digest);
}

TEST_F(TrainingDataTest, SaysHowManyPeopleHaveTheNameOfAnother) {
  DataOptions options;
  options.train = {Folder("a", 3, 2), Folder("b", 2, 2)};
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_THAT(data->notes, ::testing::ElementsAre(HasSubstr("2 names occur in more than one set")));
}

TEST_F(TrainingDataTest, DoesNotTrainOnNamesakesOfTheHeldOut) {
  DataOptions options;
  options.train = {Folder("a", 6, 6), Folder("b", 6, 6)};
  options.holdout_identities = 3;
  options.holdout_pairs = 30;
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->identities, 6u);
  std::set<std::string> held_out;
  for (const size_t photo : data->sets[0].photos) {
    held_out.insert(PersonOf(data->sets[0].source->name(photo)));
  }
  for (size_t i = 0; i < data->training->size(); ++i) {
    EXPECT_FALSE(held_out.contains(PersonOf(data->training->name(i))));
  }
}

TEST_F(TrainingDataTest, TheTeacherTellsNothingOfTheHeldOut) {
  DataOptions options;
  options.train = {Folder("a", 6, 6)};
  options.holdout_identities = 3;
  options.holdout_pairs = 30;
  // The same people elsewhere, and the same photos without the people's names.
  std::string lines;
  for (int person = 0; person < 6; ++person) lines += fmt::format("a/p0{}/0.png 0\n", person);
  ASSERT_THAT(WriteFileAtomically(dir_.File("list.txt"), lines), IsOk());
  options.unlabelled = {Folder("b", 6, 2), dir_.File("list.txt")};
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  std::set<std::string> held_out;
  for (const size_t photo : data->sets[0].photos) {
    held_out.insert(PersonOf(data->sets[0].source->name(photo)));
  }
  EXPECT_EQ(data->training->size(), 18u + 6u + 3u);
  for (size_t i = 0; i < data->training->size(); ++i) {
    EXPECT_FALSE(held_out.contains(PersonOf(data->training->name(i))));
  }
  EXPECT_THAT(data->notes, ::testing::Contains(HasSubstr("9 photos of data.unlabelled are left")));
}

// What the loss is measured by is not learned from a teacher either.
TEST_F(TrainingDataTest, PhotosKeptFromTrainingAreNotAmongTheUnlabelled) {
  DataOptions options;
  options.train = {Folder("a", 4, 6)};
  std::string lines;
  for (int i = 0; i < 24; ++i) lines += fmt::format("a/p0{}/{}.png 0\n", i / 6, i % 6);
  ASSERT_THAT(WriteFileAtomically(dir_.File("list.txt"), lines), IsOk());
  options.unlabelled = {dir_.File("list.txt")};
  for (const bool by_folds : {false, true}) {
    options.holdout_share = by_folds ? 0.0 : 0.25;
    options.holdout_folds = by_folds ? 4 : 0;
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
    std::set<std::string> kept;
    for (size_t i = 0; i < data.validation->size(); ++i) kept.insert(data.validation->name(i));
    EXPECT_EQ(data.training->size(), 2 * (24 - kept.size()));
    for (size_t i = 0; i < data.training->size(); ++i) {
      EXPECT_FALSE(kept.contains(data.training->name(i))) << data.training->name(i);
    }
    EXPECT_THAT(
        data.notes,
        ::testing::Contains(HasSubstr(fmt::format(
            "{} photos of data.unlabelled are left out, because training is", kept.size()))));
  }
}

TEST_F(TrainingDataTest, RefusesASetInBothLists) {
  DataOptions options;
  options.train = {Folder("a", 3, 2)};
  options.unlabelled = {dir_.File("a/../a/")};
  const auto data = OpenTrainingData(options);
  EXPECT_THAT(std::string(MessageOf(data.status())), HasSubstr("and in data.unlabelled"));
}

TEST_F(TrainingDataTest, RefusesASetThatIsNamedTwice) {
  DataOptions options;
  options.train = {Folder("a", 3, 2), dir_.File("a/../a/")};
  const auto data = OpenTrainingData(options);
  EXPECT_THAT(std::string(MessageOf(data.status())), HasSubstr("twice"));
}

TEST_F(TrainingDataTest, KeepsAShareOfEachIdentityFromTraining) {
  DataOptions options;
  options.train = {Folder("a", 4, 10)};
  options.holdout_share = 0.25;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
  ASSERT_NE(data.validation, nullptr);
  EXPECT_EQ(data.labelled, data.training->size());
  EXPECT_EQ(data.training->size() + data.validation->size(), 40U);
  std::map<uint32_t, size_t> kept;
  std::set<std::string> names;
  for (size_t i = 0; i < data.validation->size(); ++i) {
    kept[data.validation->label(i)] += 1;
    names.insert(data.validation->name(i));
  }
  EXPECT_EQ(kept.size(), 4U);
  for (const auto& [label, count] : kept) EXPECT_THAT(count, ::testing::AnyOf(2U, 3U)) << label;
  for (size_t i = 0; i < data.training->size(); ++i) {
    EXPECT_FALSE(names.contains(data.training->name(i)));
  }
  options.holdout_share = 0.0;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData all, OpenTrainingData(options));
  EXPECT_EQ(all.validation, nullptr);
  EXPECT_NE(all.digest, data.digest);
}

TEST_F(TrainingDataTest, OnePhotoOfAnIdentityIsTrainedOnAtLeast) {
  DataOptions options;
  options.train = {Folder("a", 3, 2)};
  options.holdout_share = 0.9;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
  EXPECT_EQ(data.training->size(), 3U);
  options.holdout_share = 1e-9;
  EXPECT_THAT(std::string(MessageOf(OpenTrainingData(options).status())),
              HasSubstr("of 6 photos none is kept"));
}

TEST_F(TrainingDataTest, SaysWhatWasLeftOutOfAFolder) {
  DataOptions options;
  options.train = {Folder("a", 2, 2)};
  std::filesystem::create_directories(dir_.File("a/.ipynb_checkpoints"));
  ASSERT_THAT(WriteFileAtomically(dir_.File("a/p00/Thumbs.db"), "x"), IsOk());
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->identities, 2u);
  EXPECT_THAT(data->notes, ::testing::Contains(HasSubstr("left out: ")));
}

TEST_F(TrainingDataTest, SaysWhichOptionAsksForTooMuch) {
  DataOptions options;
  options.train = {Folder("a", 3, 2)};
  options.holdout_identities = 4;
  const auto many = OpenTrainingData(options);
  EXPECT_THAT(std::string(MessageOf(many.status())), HasSubstr("holdout.identities"));
  options.holdout_identities = 0;
  options.min_photos = 3;
  const auto few = OpenTrainingData(options);
  EXPECT_THAT(std::string(MessageOf(few.status())), HasSubstr("data.min_photos"));
}

}  // namespace
}  // namespace facegate
