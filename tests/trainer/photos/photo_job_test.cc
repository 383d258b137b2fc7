// What a job has in hand while it reads, and what it hands over.
#include "trainer/photos/photo_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "tests/support/pattern_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// People of 0, 1, 2 ... with so many photos each.
class CountedSource final : public PhotoSource {
 public:
  CountedSource(std::span<const size_t> counts, std::atomic<size_t>& reads) : reads_(reads) {
    for (size_t label = 0; label < counts.size(); ++label) {
      classes_.push_back(std::to_string(label));
      labels_.insert(labels_.end(), counts[label], static_cast<uint32_t>(label));
    }
  }

  size_t size() const override { return labels_.size(); }
  const std::vector<std::string>& classes() const override { return classes_; }
  uint32_t label(size_t i) const override { return labels_[i]; }
  std::string name(size_t i) const override { return std::to_string(i); }
  std::string short_name(size_t i) const override { return name(i); }
  StatusOr<std::string> Read(size_t /*i*/) const override {
    ++reads_;
    return png_;
  }

 private:
  const std::string png_ = PatternPng(1);
  std::atomic<size_t>& reads_;
  std::vector<std::string> classes_;
  std::vector<uint32_t> labels_;
};

// Counts what comes of each label, and how many photos wait when some come.
class CountingSink final : public PhotoSink {
 public:
  explicit CountingSink(const std::atomic<size_t>& reads) : reads_(reads) {}

  bool Holds(size_t /*identity*/, const CheckedPhoto& /*photo*/) const override { return true; }
  Status Take(size_t identity, uint32_t label, std::span<const CheckedPhoto> photos) override {
    most_waiting_ = std::max(most_waiting_, reads_ - taken_);
    taken_ += photos.size();
    if (taken_of_.size() <= label) taken_of_.emplace_back(identity, 0);
    taken_of_[label].second += photos.size();
    return OkStatus();
  }

  size_t most_waiting() const { return most_waiting_; }
  // By label: the identity and its photos.
  const std::vector<std::pair<size_t, size_t>>& taken_of() const { return taken_of_; }

 private:
  const std::atomic<size_t>& reads_;
  size_t taken_ = 0;
  size_t most_waiting_ = 0;
  std::vector<std::pair<size_t, size_t>> taken_of_;
};

class PhotoJobTest : public ::testing::Test {
 protected:
  StatusOr<PhotoJobReport> Run(const std::vector<size_t>& counts) {
    SourceSet set;
    set.sources.push_back(std::make_unique<CountedSource>(counts, reads_));
    set.photos = set.sources.front()->size();
    set.merged = MergeIdentities({set.sources.front().get()}, {"set"});
    return RunPhotoJob(set, options_, {}, sink_);
  }

  std::atomic<size_t> reads_ = 0;
  CountingSink sink_{reads_};
  PhotoJobOptions options_;
};

TEST_F(PhotoJobTest, AnIdentityOfManyPhotosDoesNotWaitInMemory) {
  ASSERT_THAT(Run({2000}), IsOk());
  EXPECT_THAT(sink_.taken_of(), ElementsAre(Pair(0, 2000)));
  EXPECT_LT(sink_.most_waiting(), 200u);
}

TEST_F(PhotoJobTest, IdentitiesWithTooFewPhotosAreLeftOutHoweverTheyAreRead) {
  options_.min_photos = 12;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PhotoJobReport report, Run({11, 12, 1, 40, 8}));
  EXPECT_THAT(sink_.taken_of(), ElementsAre(Pair(1, 12), Pair(3, 40)));
  EXPECT_EQ(report.photos, 52u);
  EXPECT_EQ(report.identities, 2u);
  EXPECT_EQ(report.small_identities, 3u);
  EXPECT_EQ(report.photos_of_small, 20u);
}

}  // namespace
}  // namespace facegate
