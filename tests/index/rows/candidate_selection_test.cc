#include "index/rows/candidate_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint64_t> TemplatesOf(CandidateSelection& selection) {
  std::vector<uint64_t> ids;
  for (const auto& candidate : selection.Take()) ids.push_back(candidate.template_id);
  return ids;
}

// A row whose score lies within 0.01 of `middle`.
CandidateSelection::Candidate Around(double middle, uint64_t group, uint64_t template_id) {
  return {
      .lower = middle - 0.01, .upper = middle + 0.01, .group = group, .template_id = template_id};
}

TEST(CandidateSelectionTest, KeepsAllRowsUntilThereAreKGroups) {
  CandidateSelection selection(3);
  selection.Offer(Around(-0.9, 1, 10));
  selection.Offer(Around(0.5, 3, 11));
  selection.Offer(Around(-1.0, 2, 12));
  EXPECT_THAT(TemplatesOf(selection), ElementsAre(10, 11, 12));
}

TEST(CandidateSelectionTest, KeepsOfAGroupWhatMayBeItsBest) {
  CandidateSelection selection(9);
  selection.Offer(Around(0.1, 1, 10));
  selection.Offer(Around(0.5, 1, 11));
  selection.Offer(Around(0.3, 1, 12));
  selection.Offer(Around(0.49, 1, 13));
  selection.Offer(Around(0.47, 1, 14));
  EXPECT_THAT(TemplatesOf(selection), ElementsAre(11, 13));
}

TEST(CandidateSelectionTest, KeepsWhatMayReachTheLowerBoundOfTheKthGroup) {
  CandidateSelection selection(2);
  selection.Offer(Around(0.50, 1, 10));
  selection.Offer(Around(0.90, 2, 11));
  selection.Offer(Around(0.485, 3, 12));
  selection.Offer(Around(0.475, 4, 13));
  selection.Offer({.lower = 0.1, .upper = 0.6, .group = 5, .template_id = 14});
  selection.Offer(Around(0.49, 2, 15));
  EXPECT_THAT(TemplatesOf(selection), ElementsAre(10, 11, 12, 14));
}

TEST(CandidateSelectionTest, KeepsWhatTiesWithTheLowerBoundOfTheKthGroup) {
  CandidateSelection selection(1);
  selection.Offer({.lower = 0.5, .upper = 0.5, .group = 1, .template_id = 10});
  selection.Offer({.lower = 0.5, .upper = 0.5, .group = 2, .template_id = 9});
  EXPECT_THAT(TemplatesOf(selection), ElementsAre(10, 9));
}

TEST(CandidateSelectionTest, CountsOneGroupOnce) {
  CandidateSelection selection(2);
  for (uint64_t i = 0; i < 5; ++i) {
    selection.Offer(Around(0.9 + 0.01 * static_cast<double>(i), 1, i + 1));
  }
  selection.Offer(Around(0.1, 2, 9));
  EXPECT_DOUBLE_EQ(selection.floor(), 0.09);
}

TEST(CandidateSelectionTest, ForgetsWhatIsBelowWhileRowsComeInAscendingOrder) {
  CandidateSelection selection(1);
  for (uint64_t i = 0; i < 100'000; ++i) {
    selection.Offer(Around(1e-3 * static_cast<double>(i), i + 1, i + 1));
  }
  EXPECT_EQ(TemplatesOf(selection).size(), 21u);
}

TEST(CandidateSelectionTest, OrdersGroupsByScoreThenTemplate) {
  EXPECT_THAT(BestOfEachGroup({{.group = 1, .template_id = 7, .cosine = 0.5f},
                               {.group = 2, .template_id = 3, .cosine = 0.5f},
                               {.group = 1, .template_id = 5, .cosine = 0.5f},
                               {.group = 3, .template_id = 9, .cosine = 0.6f},
                               {.group = 3, .template_id = 1, .cosine = 0.1f}},
                              2),
              ElementsAre(IndexMatch{.group = 3, .template_id = 9, .cosine = 0.6f},
                          IndexMatch{.group = 2, .template_id = 3, .cosine = 0.5f}));
  EXPECT_THAT(BestOfEachGroup({}, 5), IsEmpty());
}

}  // namespace
}  // namespace facegate
