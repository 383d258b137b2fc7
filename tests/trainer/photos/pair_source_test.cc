#include "trainer/photos/pair_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

// LFW's matched and mismatched pairs are two files, and one set.
TEST(PairSourceTest, ListsOfOneKindAreReadAsOne) {
  const TempDir dir;
  const std::string match = dir.File("match.txt");
  const std::string both = dir.File("both.txt");
  const std::string mismatch = dir.File("mismatch.txt");
  WriteBytes(match, "a b 1\nb c 1\n");
  WriteBytes(mismatch, "a c 0\na d 0\n");
  WriteBytes(both, "a c 0\na b 1\n");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::vector<PairSource> sets,
                                OpenPairSources({match, both, mismatch}));
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0].name, "both");
  EXPECT_EQ(sets[1].name, "match + mismatch");
  EXPECT_THAT(sets[1].paths, ElementsAre(match, mismatch));
  EXPECT_EQ(sets[1].list.pairs.size(), 4U);
}

}  // namespace
}  // namespace facegate
