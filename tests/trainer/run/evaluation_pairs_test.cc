// The sets of pairs that a run is judged by.
#include "trainer/run/evaluation_pairs.h"

#include "tests/support/pair_set_files.h"
#include "tests/trainer/run/training_data_fixture.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST_F(TrainingDataTest, SaysWhichPhotosOfPairsAreNotThere) {
  DataOptions options;
  options.train = {Folder("a", 3, 2)};
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += fmt::format("p00/{}.png p01/{}.png 0\n", i, i);
  ASSERT_THAT(WriteFileAtomically(dir_.File("pairs.txt"), lines), IsOk());
  options.evaluate_pairs = {dir_.File("pairs.txt")};
  options.evaluate_photos = dir_.File("a");
  const auto data = OpenTrainingData(options);
  EXPECT_THAT(std::string(MessageOf(data.status())),
              ::testing::AllOf(HasSubstr("36 of the 40 photos"), HasSubstr("2 of 20 pairs")));
}

TEST_F(TrainingDataTest, FindsPhotosOfPairsUnderAnotherEnding) {
  DataOptions options;
  options.train = {Folder("a", 2, 20)};
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += fmt::format("p00/{}.jpg p01\\{}.JPEG {}\n", i, i, i % 2);
  ASSERT_THAT(WriteFileAtomically(dir_.File("pairs.txt"), lines), IsOk());
  options.evaluate_pairs = {dir_.File("pairs.txt")};
  options.evaluate_photos = dir_.File("a");
  const auto data = OpenTrainingData(options);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->sets.back().photos.size(), 40u);
}

TEST_F(TrainingDataTest, OpensEverySetOfPairsUnderANameOfItsOwn) {
  DataOptions options;
  options.train = {Folder("a", 6, 6)};
  options.holdout_identities = 4;
  options.holdout_pairs = 40;
  const TestPairs pairs = MakeTestPairs(20);
  ASSERT_THAT(WriteFileAtomically(dir_.File("lfw.bin"), PairPickle(pairs)), IsOk());
  WriteBcolzPairs(dir_.File("val/lfw"), pairs, 7);
  WriteListedPairs(dir_.File("crops"), dir_.File("list.txt"), pairs);
  options.evaluate_pairs = {dir_.File("lfw.bin"), dir_.File("val/lfw"), dir_.File("list.txt")};
  options.evaluate_photos = dir_.File("crops");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
  std::vector<std::string> names;
  for (const EvaluationSet& set : data.sets) names.push_back(set.name);
  EXPECT_THAT(names, ::testing::ElementsAre("held-out", "lfw", "lfw-2", "list"));
  for (const size_t photo : {0, 17, 39}) {
    const auto picture = data.sets[1].source->Load(photo);
    ASSERT_THAT(picture, IsOk());
    for (const size_t other : {2, 3}) {
      const EvaluationSet& set = data.sets[other];
      const auto same = set.source->Load(set.photos[photo]);
      ASSERT_THAT(same, IsOk());
      EXPECT_EQ(cv::norm(*picture, *same, cv::NORM_INF), 0.0);
    }
  }
}

// As facegate-train eval does: LFW's matched and mismatched pairs are two files, and one set.
TEST_F(TrainingDataTest, ReadsListsOfOneKindAsOneSet) {
  DataOptions options;
  options.train = {Folder("a", 2, 2)};
  WriteListedPairs(dir_.File("crops"), dir_.File("list.txt"), MakeTestPairs(40));
  const std::string text = ReadFile(dir_.File("list.txt"), 1 << 20).value();
  std::string kinds[2];
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin) + 1;
    kinds[text[end - 2] == '1'] += text.substr(begin, end - begin);
    begin = end;
  }
  ASSERT_THAT(WriteFileAtomically(dir_.File("other.txt"), kinds[0]), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir_.File("match.txt"), kinds[1]), IsOk());
  options.evaluate_pairs = {dir_.File("match.txt"), dir_.File("other.txt")};
  options.evaluate_photos = dir_.File("crops");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data, OpenTrainingData(options));
  ASSERT_EQ(data.sets.size(), 1U);
  EXPECT_EQ(data.sets[0].name, "match + other");
  EXPECT_EQ(data.sets[0].pairs.size(), 40U);
}

TEST_F(TrainingDataTest, RefusesPairsOfOneKindAlone) {
  DataOptions options;
  options.train = {Folder("a", 2, 2)};
  TestPairs pairs = MakeTestPairs(20);
  pairs.same.assign(20, true);
  ASSERT_THAT(WriteFileAtomically(dir_.File("same.bin"), PairPickle(pairs)), IsOk());
  options.evaluate_pairs = {dir_.File("same.bin")};
  EXPECT_THAT(std::string(MessageOf(OpenTrainingData(options).status())),
              HasSubstr("same.bin: all 20 pairs are of one person"));
}

TEST_F(TrainingDataTest, NamesAllListsThatAreReadAsOne) {
  DataOptions options;
  options.train = {Folder("a", 2, 20)};
  options.evaluate_photos = dir_.File("a");
  for (const int list : {0, 1}) {
    std::string lines;
    for (int i = 0; i < 10; ++i) lines += fmt::format("p00/{}.png p01/{}.png 0\n", i + list, i);
    const std::string path = dir_.File(fmt::format("list-{}.txt", list));
    ASSERT_THAT(WriteFileAtomically(path, lines), IsOk());
    options.evaluate_pairs.push_back(path);
  }
  EXPECT_THAT(std::string(MessageOf(OpenTrainingData(options).status())),
              ::testing::AllOf(HasSubstr("list-0.txt and "), HasSubstr("list-1.txt"),
                               HasSubstr("all 20 pairs are of two people")));
}

TEST_F(TrainingDataTest, RefusesPairsOfWhichThoseOfOneKindAreLeft) {
  DataOptions options;
  options.train = {Folder("a", 2, 20)};
  options.evaluate_photos = dir_.File("a");
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    lines += fmt::format("p00/{0}.png p01/{0}.png 0\nabsent/{0}.png p01/{0}.png 1\n", i);
  }
  ASSERT_THAT(WriteFileAtomically(dir_.File("pairs.txt"), lines), IsOk());
  options.evaluate_pairs = {dir_.File("pairs.txt")};
  EXPECT_THAT(std::string(MessageOf(OpenTrainingData(options).status())),
              ::testing::AllOf(HasSubstr("20 of 40 pairs are left"),
                               HasSubstr("all 20 pairs are of two people")));
}

TEST_F(TrainingDataTest, WantsAFolderOfPhotosForListsAlone) {
  DataOptions options;
  options.train = {Folder("a", 2, 2)};
  const TestPairs pairs = MakeTestPairs(20);
  WriteListedPairs(dir_.File("crops"), dir_.File("list.txt"), pairs);
  options.evaluate_pairs = {dir_.File("list.txt")};
  EXPECT_THAT(
      std::string(MessageOf(OpenTrainingData(options).status())),
      ::testing::AllOf(HasSubstr("the folder with the photos"), HasSubstr("list.txt names")));
  ASSERT_THAT(WriteFileAtomically(dir_.File("few.bin"), PairPickle(MakeTestPairs(3))), IsOk());
  options.evaluate_pairs = {dir_.File("few.bin")};
  EXPECT_THAT(std::string(MessageOf(OpenTrainingData(options).status())),
              HasSubstr("has 3 pairs, 20 are needed"));
}

}  // namespace
}  // namespace facegate
