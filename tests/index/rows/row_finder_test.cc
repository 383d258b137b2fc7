#include "index/rows/row_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "index/rows/exact_index.h"
#include "index/rows/row_table.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// Says that it has looked through everything, and finds nothing.
class BlindFinder final : public RowFinder {
 public:
  StatusOr<Finding> Find(std::span<const std::span<const float>> queries, size_t /*wanted*/,
                         const StopCheck& /*stop*/) override {
    return Finding{.coverage = coverage_, .queries = std::vector<FoundRows>(queries.size())};
  }
  size_t most() const override { return 1000; }
  void Follow(const RowSnapshot& snapshot) noexcept override {
    std::vector<Coverage::Part> parts;
    for (const auto& part : snapshot.parts()) {
      parts.push_back({.segment = part.segment->serial(), .rows = part.end});
    }
    coverage_ = std::make_shared<const Coverage>(std::move(parts));
  }
  bool is_approximate() const override { return true; }
  FinderState state() const override { return {.rows = coverage_->rows(), .recall = 0.0}; }

 private:
  std::shared_ptr<const Coverage> coverage_;
};

TEST(RowFinderTest, AsksNoApproximateFinderForAnExactSearch) {
  const auto index = MakeExactIndex(4);
  const std::vector<float> vector{1.0f, 0.0f, 0.0f, 0.0f};
  ASSERT_THAT(index->Reserve(1), IsOk());
  index->Add(7, 1, vector);
  ASSERT_THAT(index->SetFinder(std::make_shared<BlindFinder>()), IsOk());
  const std::span<const float> query(vector);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto view, index->View());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, view->Search({&query, 1}, {.k = 1}));
  EXPECT_THAT(found.front(), ::testing::IsEmpty()) << "it is asked, otherwise";
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto exact,
                                view->Search({&query, 1}, {.k = 1, .exact = true}));
  EXPECT_EQ(exact.front().size(), 1u);
}

}  // namespace
}  // namespace facegate
