#include "trainer/embeddings/pair_photos.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PairPhotosTest : public ::testing::Test {
 protected:
  PairPhotosTest() {
    for (const char* name : {"p1/p1_0001.png", "p1/p1_0002.JPEG", "p2/p2_0001.jpg"}) {
      WriteBytes(dir_.File(name), PatternPng(1));
    }
  }
  static PairList Pairs() {
    return {.pairs = {{.first = "p1/p1_0001.jpg", .second = "p1/p1_0002.jpg", .same = true},
                      {.first = "p1/p1_0001.jpg", .second = "p2/p2_0001.jpg", .same = false}}};
  }
  static PairList PairsWithAMissingOne() {
    PairList list = Pairs();
    list.pairs.push_back({.first = "p2/p2_0001.jpg", .second = "p3/p3_0001.jpg", .same = false});
    return list;
  }

  TempDir dir_;
  std::vector<std::string> remarks_;
};

TEST_F(PairPhotosTest, FindsPhotosWithOtherEndingsUnderTheListsNames) {
  PairList list = Pairs();
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto photos,
      FindPairPhotos(dir_.path().string(), MissingPhotos::kRefuse, list, remarks_));
  ASSERT_EQ(photos->size(), 3u);
  EXPECT_EQ(photos->name(0), "p1/p1_0001.jpg");
  for (size_t i = 0; i < 3; ++i) EXPECT_THAT(photos->Load(i), IsOk());
}

TEST_F(PairPhotosTest, RefusesMissingPhotosNamingThem) {
  PairList list = PairsWithAMissingOne();
  const auto photos = FindPairPhotos(dir_.path().string(), MissingPhotos::kRefuse, list, remarks_);
  ASSERT_THAT(photos, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(photos.status())),
              AllOf(HasSubstr("1 of 4 photos is not there"), HasSubstr("p3/p3_0001.jpg"),
                    HasSubstr("--skip-missing")));
}

TEST_F(PairPhotosTest, LeavesOutThePairsOfMissingPhotosWithACount) {
  PairList list = PairsWithAMissingOne();
  ASSERT_THAT(FindPairPhotos(dir_.path().string(), MissingPhotos::kSkip, list, remarks_), IsOk());
  EXPECT_EQ(list.pairs, Pairs().pairs);
  EXPECT_THAT(remarks_, ElementsAre(HasSubstr("left out: 1 pair, because 1 photo is not there")));
}

TEST_F(PairPhotosTest, MatchesNamesOfEmbeddingsWithOtherEndings) {
  const auto set = EmbeddingSet::Make({"p1/p1_0001.png", "p1/p1_0002.png", "p2/p2_0001.png"}, 2,
                                      std::vector<float>{1, 0, 0, 1, 1, 1}, {}, MirrorRule::kPlain);
  ASSERT_THAT(set, IsOk());
  PairList list = Pairs();
  ASSERT_THAT(MatchPairNames(*set, MissingPhotos::kRefuse, list, remarks_), IsOk());
  EXPECT_EQ(list.pairs[1].second, "p2/p2_0001.png");
  PairList short_list = PairsWithAMissingOne();
  EXPECT_THAT(MatchPairNames(*set, MissingPhotos::kRefuse, short_list, remarks_),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
