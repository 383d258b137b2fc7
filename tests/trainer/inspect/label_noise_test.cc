#include "trainer/inspect/label_noise.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "face/base/random.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::IsEmpty;

constexpr size_t kWidth = 64;
constexpr size_t kPhotos = 20;  // of each person

// Photos of people: a direction for each, and noise around it. `people` says who is on the photos
// of each identity, by number.
class DrawnSet {
 public:
  explicit DrawnSet(size_t identities) {
    set_.width = kWidth;
    set_.identities = identities;
  }

  void Add(uint32_t identity, uint64_t person) {
    RandomStream who(1, person);
    RandomStream noise(2, set_.size());
    std::vector<float> row(kWidth);
    double square = 0.0;
    for (float& value : row) {
      value = static_cast<float>(who.Normal() + 0.8 * noise.Normal());
      square += value * value;
    }
    for (float& value : row) value /= static_cast<float>(std::sqrt(square));
    set_.rows.insert(set_.rows.end(), row.begin(), row.end());
    set_.labels.push_back(identity);
  }
  static DrawnSet Clean(size_t identities) {
    DrawnSet drawn(identities);
    for (uint32_t identity = 0; identity < identities; ++identity) {
      for (size_t i = 0; i < kPhotos; ++i) drawn.Add(identity, identity);
    }
    return drawn;
  }

  LabelledEmbeddings& set() { return set_; }
  LabelNoise Noise() const {
    auto noise = FindLabelNoise(set_, {});
    EXPECT_THAT(noise, IsOk());
    return *noise;
  }

 private:
  LabelledEmbeddings set_;
};

TEST(LabelNoiseTest, DoubtsNothingOfACleanSet) {
  const LabelNoise noise = DrawnSet::Clean(10).Noise();
  EXPECT_THAT(noise.doubted, IsEmpty());
  EXPECT_THAT(noise.alike, IsEmpty());
  EXPECT_THAT(noise.mixed, IsEmpty());
}

TEST(LabelNoiseTest, FindsPhotosUnderTheNameOfAnother) {
  DrawnSet drawn = DrawnSet::Clean(10);
  const std::set<size_t> wrong = {3, 47, 111, 160, 199};
  for (const size_t photo : wrong) {
    drawn.set().labels[photo] = (drawn.set().labels[photo] + 4) % 10;
  }
  std::set<size_t> found;
  for (const DoubtedLabel& one : drawn.Noise().doubted) {
    found.insert(one.photo);
    EXPECT_TRUE(one.nearer);
    EXPECT_EQ(one.nearest, one.photo / kPhotos);
  }
  EXPECT_EQ(found, wrong);
}

TEST(LabelNoiseTest, FindsPhotosOfNobodyInTheSet) {
  DrawnSet drawn = DrawnSet::Clean(10);
  drawn.Add(2, 77);
  const LabelNoise noise = drawn.Noise();
  ASSERT_EQ(noise.doubted.size(), 1U);
  EXPECT_EQ(noise.doubted[0].photo, 10 * kPhotos);
}

// Each photo pulls the other away at first, so that none is left to compare with.
TEST(LabelNoiseTest, AnIdentityWhosePhotosAreAllDoubtedIsNotClean) {
  for (const size_t photos : {2, 5}) {
    DrawnSet drawn = DrawnSet::Clean(11);
    drawn.set().labels.resize(10 * kPhotos);
    drawn.set().rows.resize(10 * kPhotos * kWidth);
    for (size_t i = 0; i < photos; ++i) drawn.Add(10, 70 + i);
    EXPECT_EQ(drawn.Noise().doubted.size(), photos);
  }
}

TEST(LabelNoiseTest, FindsAPersonWhoHasTwoNames) {
  DrawnSet drawn = DrawnSet::Clean(11);
  for (size_t i = 0; i < kPhotos; ++i) drawn.set().labels[i] = i % 2 == 0 ? 0 : 10;
  // Number 10 of the drawn people goes.
  drawn.set().labels.resize(10 * kPhotos);
  drawn.set().rows.resize(10 * kPhotos * kWidth);
  const LabelNoise noise = drawn.Noise();
  ASSERT_EQ(noise.alike.size(), 1U);
  EXPECT_EQ(noise.alike[0].first, 0U);
  EXPECT_EQ(noise.alike[0].second, 10U);
}

TEST(LabelNoiseTest, FindsTwoPeopleUnderOneName) {
  DrawnSet drawn = DrawnSet::Clean(10);
  for (size_t i = 0; i < kPhotos / 2; ++i) drawn.Add(5, 99);
  const LabelNoise noise = drawn.Noise();
  ASSERT_EQ(noise.mixed.size(), 1U);
  EXPECT_EQ(noise.mixed[0].identity, 5U);
  EXPECT_EQ(noise.mixed[0].smaller.size(), kPhotos / 2);
}

TEST(LabelNoiseTest, RefusesWhatIsNoSet) {
  EXPECT_THAT(FindLabelNoise(DrawnSet::Clean(1).set(), {}), StatusIs(StatusCode::kInvalidArgument));
  DrawnSet drawn = DrawnSet::Clean(2);
  drawn.set().rows[3] = 5.0F;
  EXPECT_THAT(FindLabelNoise(drawn.set(), {}), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
