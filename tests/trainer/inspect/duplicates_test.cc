#include "trainer/inspect/duplicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/base/random.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Facts of a photo of its own for each number.
PhotoFacts Facts(uint64_t number) {
  PhotoFacts facts;
  RandomStream random(number + 1);
  facts.hash.coarse = random.Next();
  for (uint64_t& word : facts.hash.fine) word = random.Next();
  for (uint8_t& byte : facts.sha256) byte = static_cast<uint8_t>(random.Next());
  return facts;
}

// The same picture in other bytes.
PhotoFacts Reencoded(PhotoFacts facts, int flipped) {
  facts.sha256[0] ^= 1;
  for (int bit = 0; bit < flipped; ++bit) facts.hash.coarse ^= uint64_t{1} << (bit * 17 % 64);
  facts.hash.fine[1] ^= 0xff;
  return facts;
}

TEST(DuplicatesTest, GroupsIdenticalPhotos) {
  const std::vector<std::optional<PhotoFacts>> facts = {Facts(1), Facts(2), Facts(1), Facts(3),
                                                        Facts(1)};
  const std::vector<uint32_t> labels = {0, 0, 0, 1, 1};
  const auto groups = FindDuplicates(facts, labels);
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0].photos, ElementsAre(0, 2, 4));
  EXPECT_TRUE(groups[0].identical);
  EXPECT_TRUE(groups[0].across_identities);
}

TEST(DuplicatesTest, GroupsNearPhotosAndKeepsOthersApart) {
  std::vector<std::optional<PhotoFacts>> facts;
  for (uint64_t i = 0; i < 200; ++i) facts.emplace_back(Facts(i));
  for (int flipped = 0; flipped <= kNearCoarse; ++flipped) {
    facts.emplace_back(Reencoded(Facts(static_cast<uint64_t>(flipped)), flipped));
  }
  facts.emplace_back(Reencoded(Facts(50), kNearCoarse + 1));
  const std::vector<uint32_t> labels(facts.size(), 0);
  const auto groups = FindDuplicates(facts, labels);
  ASSERT_THAT(groups, SizeIs(4));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(groups[i].photos, ElementsAre(i, 200 + i));
    EXPECT_FALSE(groups[i].identical);
    EXPECT_FALSE(groups[i].across_identities);
  }
}

TEST(DuplicatesTest, TheFineHashDecides) {
  PhotoFacts other = Facts(1);
  other.sha256[0] ^= 1;
  other.hash.fine[0] ^= (uint64_t{1} << (kNearFine + 1)) - 1;
  const std::vector<std::optional<PhotoFacts>> facts = {Facts(1), other};
  EXPECT_THAT(FindDuplicates(facts, std::vector<uint32_t>{0, 1}), IsEmpty());
}

TEST(DuplicatesTest, JoinsNearOnesOfIdenticalSets) {
  const std::vector<std::optional<PhotoFacts>> facts = {Facts(1), Facts(1), Reencoded(Facts(1), 2),
                                                        Reencoded(Facts(1), 2)};
  const auto groups = FindDuplicates(facts, std::vector<uint32_t>{0, 0, 0, 0});
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0].photos, ElementsAre(0, 1, 2, 3));
  EXPECT_FALSE(groups[0].identical);
}

TEST(DuplicatesTest, LeavesOutWhatCannotBeReadAndWhatIsFlat) {
  PhotoFacts flat = Facts(1);
  flat.flat = true;
  const std::vector<std::optional<PhotoFacts>> facts = {flat, std::nullopt, Reencoded(flat, 0),
                                                        std::nullopt};
  EXPECT_THAT(FindDuplicates(facts, std::vector<uint32_t>{0, 0, 1, 1}), IsEmpty());
}

}  // namespace
}  // namespace facegate
