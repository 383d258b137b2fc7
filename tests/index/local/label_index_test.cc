#include "index/local/label_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LabelIndexTest : public ::testing::Test {
 protected:
  void Add(uint64_t identity, const Labels& labels) {
    index_.Add(LabelIndex::Prepare(identity, labels));
  }
  // All in turn, and in how many parts.
  std::vector<uint64_t> List(const Labels& labels, int* parts = nullptr) const {
    std::vector<uint64_t> identities;
    int count = 0;
    for (std::optional<uint64_t> from = 0; from.has_value(); ++count) {
      from = index_.List(labels, *from, identities);
    }
    if (parts != nullptr) *parts = count;
    return identities;
  }

  LabelIndex index_;
};

TEST_F(LabelIndexTest, ListsThoseWhoHaveAllLabels) {
  Add(3, {{"floor", "1"}, {"team", "red"}});
  Add(1, {{"floor", "1"}});
  Add(2, {{"team", "red"}, {"floor", "2"}});
  EXPECT_THAT(List({{"floor", "1"}}), ElementsAre(1, 3));
  EXPECT_THAT(List({{"floor", "1"}, {"team", "red"}}), ElementsAre(3));
  EXPECT_THAT(List({{"floor", "2"}, {"team", "blue"}}), IsEmpty());
}

TEST_F(LabelIndexTest, ForgetsWhatIsRemoved) {
  const Labels labels{{"floor", "1"}, {"team", "red"}};
  Add(1, labels);
  Add(1, labels);
  Add(2, labels);
  index_.Remove(1, {{"floor", "1"}});
  EXPECT_THAT(List({{"floor", "1"}}), ElementsAre(2));
  EXPECT_THAT(List({{"team", "red"}}), ElementsAre(1, 2));
  index_.Remove(2, labels);
  index_.Remove(2, labels);
  EXPECT_THAT(List({{"floor", "1"}}), IsEmpty());
}

TEST_F(LabelIndexTest, ListsManyInParts) {
  for (uint64_t identity = 1; identity <= 9000; ++identity) {
    Add(identity, {{"all", "x"}, {"third", identity % 3 == 0 ? "yes" : "no"}});
  }
  int parts = 0;
  EXPECT_EQ(List({{"all", "x"}}, &parts).size(), 9000u);
  EXPECT_GT(parts, 1);
  EXPECT_EQ(List({{"all", "x"}, {"third", "yes"}}, &parts).size(), 3000u);
  EXPECT_EQ(parts, 3) << "the smaller set is gone through";
}

}  // namespace
}  // namespace facegate
