#include "trainer/photos/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "face/base/sha256.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Photos of noise; those with a number in `bad` cannot be read.
class NoiseDataset final : public Dataset {
 public:
  explicit NoiseDataset(size_t size, std::set<size_t> bad = {}, int side = 112)
      : size_(size), bad_(std::move(bad)), side_(side) {}

  size_t size() const override { return size_; }
  size_t classes() const override { return kClasses; }
  // Class 0 has most photos.
  uint32_t label(size_t i) const override { return i < kClasses ? static_cast<uint32_t>(i) : 0; }
  std::string name(size_t i) const override { return "photo " + std::to_string(i); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    if (bad_.contains(i)) return InvalidArgument(name(i) + " is broken");
    cv::Mat picture(side_, side_, CV_8UC3);
    RandomStream random(i);
    for (size_t at = 0; at < picture.total() * 3; ++at) {
      picture.data[at] = static_cast<uchar>(random.Next());
    }
    return picture;
  }

  static constexpr size_t kClasses = 5;

 private:
  const size_t size_;
  const std::set<size_t> bad_;
  const int side_;
};

std::string HashOf(const Batch& batch) {
  Sha256 hash;
  hash.Update(
      {reinterpret_cast<const char*>(batch.pixels.data()), batch.pixels.size() * sizeof(float)});
  hash.Update(
      {reinterpret_cast<const char*>(batch.labels.data()), batch.labels.size() * sizeof(int64_t)});
  return hash.HexDigest();
}

LoaderOptions AllAugmentations() {
  LoaderOptions options;
  options.sampler.batch = 8;
  options.augment = AdaFaceAugmentation();
  options.augment.crop = 0.5;
  options.augment.grey = 0.2;
  options.augment.erase = 0.3;
  options.blend = 0.4;
  options.degrade = 0.3;
  return options;
}

std::vector<std::string> Hashes(const Dataset& dataset, LoaderOptions options, size_t steps) {
  auto loader = Loader::Start(dataset, options, nullptr);
  EXPECT_THAT(loader, IsOk());
  std::vector<std::string> hashes;
  for (size_t i = 0; i < steps; ++i) {
    auto batch = (*loader)->Next();
    EXPECT_THAT(batch, IsOk());
    EXPECT_EQ((*batch)->step, options.first_step + i);
    hashes.push_back(HashOf(**batch));
  }
  return hashes;
}

TEST(LoaderTest, BatchesDoNotDependOnTheThreads) {
  const NoiseDataset dataset(50, {3, 17});
  LoaderOptions options = AllAugmentations();
  const auto expected = Hashes(dataset, options, 20);
  EXPECT_THAT(std::set<std::string>(expected.begin(), expected.end()), SizeIs(20));
  options.threads = 4;
  EXPECT_EQ(Hashes(dataset, options, 20), expected);
}

TEST(LoaderTest, BatchesDoNotDependOnWhereItBegan) {
  const NoiseDataset dataset(50, {3});
  LoaderOptions options = AllAugmentations();
  const auto all = Hashes(dataset, options, 20);
  options.first_step = 13;
  options.threads = 3;
  EXPECT_EQ(Hashes(dataset, options, 7), std::vector<std::string>(all.begin() + 13, all.end()));
}

TEST(LoaderTest, OtherSeedsAndEpochsGiveOtherBatches) {
  const NoiseDataset dataset(8);
  LoaderOptions options = AllAugmentations();
  const auto first = Hashes(dataset, options, 3);
  options.sampler.seed = 2;
  const auto second = Hashes(dataset, options, 3);
  std::set<std::string> all(first.begin(), first.end());
  all.insert(second.begin(), second.end());
  EXPECT_THAT(all, SizeIs(6));
}

TEST(LoaderTest, ABlendIsOfTwoPhotosAndHasNoLabel) {
  const NoiseDataset dataset(2);
  LoaderOptions options;
  options.sampler.batch = 2;
  options.augment.flip = 0.0;
  options.blend = 1.0;
  auto loader = Loader::Start(dataset, options, nullptr);
  ASSERT_THAT(loader, IsOk());
  const auto batch = (*loader)->Next();
  ASSERT_THAT(batch, IsOk());
  EXPECT_THAT((*batch)->labels, Each(Batch::kUnlabelled));
  options.blend = 0.0;
  auto plain_loader = Loader::Start(dataset, options, nullptr);
  ASSERT_THAT(plain_loader, IsOk());
  const auto plain = (*plain_loader)->Next();
  ASSERT_THAT(plain, IsOk());
  EXPECT_EQ((*plain)->photos, (*batch)->photos);
  // Each value lies between those of the two photos, up to rounding to a whole pixel value.
  const size_t floats = (*plain)->pixels.size() / 2;
  double along = 0.0;
  double whole = 0.0;
  for (size_t i = 0; i < (*plain)->pixels.size(); ++i) {
    const float one = (*plain)->pixels[i % floats];
    const float other = (*plain)->pixels[floats + i % floats];
    const float blend = (*batch)->pixels[i];
    ASSERT_GE(blend, std::min(one, other) - 0.01F) << i;
    ASSERT_LE(blend, std::max(one, other) + 0.01F) << i;
    if (i >= floats) continue;
    along += (blend - other) * (one - other);
    whole += (one - other) * (one - other);
  }
  // The first picture's share of its blend.
  const double share = along / whole;
  EXPECT_TRUE(share > 0.29 && share < 0.71) << share;
  EXPECT_NE((*plain)->pixels, (*batch)->pixels);
}

TEST(LoaderTest, KeepsWhatItDegradesForTheTeacher) {
  const NoiseDataset dataset(16);
  LoaderOptions options;
  options.sampler.batch = 16;
  const auto first_batch = [&](double degrade) {
    options.degrade = degrade;
    auto loader = Loader::Start(dataset, options, nullptr);
    EXPECT_THAT(loader, IsOk());
    auto batch = (*loader)->Next();
    EXPECT_THAT(batch, IsOk());
    return *std::move(batch);
  };
  const auto plain = first_batch(0.0);
  EXPECT_THAT(plain->undegraded, IsEmpty());
  const auto some = first_batch(0.5);
  EXPECT_EQ(some->undegraded, plain->pixels);
  const size_t floats = plain->pixels.size() / 16;
  size_t degraded = 0;
  for (size_t place = 0; place < 16; ++place) {
    const auto begin = static_cast<std::ptrdiff_t>(place * floats);
    const bool same = std::equal(some->pixels.begin() + begin,
                                 some->pixels.begin() + begin + static_cast<std::ptrdiff_t>(floats),
                                 plain->pixels.begin() + begin);
    EXPECT_EQ(some->degraded[place], !same) << place;
    degraded += same ? 0 : 1;
  }
  EXPECT_GT(degraded, 3U);
  EXPECT_LT(degraded, 13U);
}

// An identity with few photos, which balance shows most often, gave the same picture again and
// again.
TEST(LoaderTest, ChangesAPhotoDifferentlyEachTime) {
  const NoiseDataset dataset(2);
  LoaderOptions options;
  options.sampler = {.batch = 8, .balanced = true};
  options.augment.crop = 1.0;
  options.augment.photometric = 1.0;
  auto loader = Loader::Start(dataset, options, nullptr);
  ASSERT_THAT(loader, IsOk());
  std::set<std::vector<float>> pictures;
  for (int step = 0; step < 2; ++step) {
    const auto batch = (*loader)->Next();
    ASSERT_THAT(batch, IsOk());
    const std::vector<float>& pixels = (*batch)->pixels;
    const auto floats = static_cast<std::ptrdiff_t>(pixels.size() / 8);
    for (std::ptrdiff_t place = 0; place < 8; ++place) {
      const auto begin = pixels.begin() + place * floats;
      pictures.emplace(begin, begin + floats);
    }
  }
  EXPECT_THAT(pictures, SizeIs(16));
}

TEST(LoaderTest, AnEpochHasEachPhotoOnce) {
  const NoiseDataset dataset(40);
  const Sampler sampler(dataset, {.batch = 8});
  EXPECT_EQ(sampler.steps_per_epoch(), 5u);
  for (size_t epoch = 0; epoch < 3; ++epoch) {
    std::set<size_t> seen;
    for (size_t step = 0; step < 5; ++step) {
      for (const size_t photo : sampler.BatchAt(epoch * 5 + step)) seen.insert(photo);
    }
    EXPECT_THAT(seen, SizeIs(40));
  }
}

// Three of 43 photos are over; which, differs between epochs.
TEST(LoaderTest, AnEpochHasWholeBatchesAlone) {
  const NoiseDataset dataset(43);
  const Sampler sampler(dataset, {.batch = 8});
  EXPECT_EQ(sampler.steps_per_epoch(), 5u);
  std::set<std::set<size_t>> epochs;
  for (size_t epoch = 0; epoch < 3; ++epoch) {
    std::set<size_t> seen;
    for (size_t step = 0; step < 5; ++step) {
      const std::vector<size_t> batch = sampler.BatchAt(epoch * 5 + step);
      EXPECT_THAT(batch, SizeIs(8));
      seen.insert(batch.begin(), batch.end());
    }
    EXPECT_THAT(seen, SizeIs(40));
    epochs.insert(seen);
  }
  EXPECT_THAT(epochs, SizeIs(3));
}

TEST(LoaderTest, EachEpochHasAnOrderOfItsOwn) {
  const NoiseDataset dataset(40);
  const Sampler sampler(dataset, {.batch = 40});
  EXPECT_NE(sampler.BatchAt(0), sampler.BatchAt(1));
}

TEST(LoaderTest, ABalancedSamplerShowsEachIdentityAlikeOften) {
  const NoiseDataset dataset(500);  // class 0 has 496 of them
  const Sampler sampler(dataset, {.batch = 100, .balanced = true});
  std::vector<int> counts(NoiseDataset::kClasses, 0);
  for (size_t step = 0; step < 20; ++step) {
    for (const size_t photo : sampler.BatchAt(step)) counts[dataset.label(photo)] += 1;
  }
  EXPECT_THAT(counts, Each(::testing::AllOf(::testing::Gt(330), ::testing::Lt(470))));
}

TEST(LoaderTest, PartsOfABatchAreTheBatch) {
  const NoiseDataset dataset(30, {3, 7});
  LoaderOptions options = AllAugmentations();
  options.blend = 0.3;
  options.degrade = 0.3;
  const auto batch_of = [&](size_t first_place, size_t places) {
    options.first_place = first_place;
    options.places = places;
    auto loader = Loader::Start(dataset, options, nullptr);
    EXPECT_THAT(loader, IsOk());
    return *(*(*loader)->Next());
  };
  const Batch whole = batch_of(0, 0);
  Batch parts = batch_of(0, 4);
  const Batch second = batch_of(4, 4);
  parts.pixels.insert(parts.pixels.end(), second.pixels.begin(), second.pixels.end());
  parts.labels.insert(parts.labels.end(), second.labels.begin(), second.labels.end());
  EXPECT_EQ(HashOf(parts), HashOf(whole));
}

TEST(LoaderTest, RefusesAPartThatIsNotInTheBatch) {
  const NoiseDataset dataset(10);
  LoaderOptions options;
  options.sampler.batch = 8;
  options.first_place = 6;
  options.places = 3;
  EXPECT_THAT(Loader::Start(dataset, options, nullptr), StatusIs(StatusCode::kInvalidArgument));
}

TEST(LoaderTest, NamesABadPhotoOnceAndGoesOn) {
  const NoiseDataset dataset(10, {4, 6});
  std::vector<std::string> named;
  LoaderOptions options;
  options.sampler.batch = 10;
  options.threads = 2;
  auto loader = Loader::Start(dataset, options,
                              [&](const Status& status) { named.emplace_back(MessageOf(status)); });
  ASSERT_THAT(loader, IsOk());
  for (int i = 0; i < 6; ++i) {
    auto batch = (*loader)->Next();
    ASSERT_THAT(batch, IsOk());
    EXPECT_THAT((*batch)->photos, SizeIs(10));
    EXPECT_THAT((*batch)->photos, Each(::testing::Not(::testing::AnyOf(4u, 6u))));
    for (size_t place = 0; place < 10; ++place) {
      EXPECT_EQ((*batch)->labels[place], dataset.label((*batch)->photos[place]));
    }
  }
  loader->reset();
  EXPECT_THAT(named, ::testing::UnorderedElementsAre("photo 4 is broken", "photo 6 is broken"));
}

TEST(LoaderTest, GivesUpWhereNothingCanBeUsed) {
  const NoiseDataset wrong_size(20, {}, 64);
  auto loader = Loader::Start(wrong_size, {}, nullptr);
  ASSERT_THAT(loader, IsOk());
  const auto batch = (*loader)->Next();
  ASSERT_THAT(batch, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_NE(MessageOf(batch.status()).find("64 x 64, expected an aligned crop of 112 x 112"),
            std::string_view::npos);
}

// Colours must not be swapped nor the picture mirrored on the way to the network.
TEST(LoaderTest, GivesRedFirstAndKeepsLeftAndRight) {
  class OneDot final : public Dataset {
   public:
    size_t size() const override { return 1; }
    size_t classes() const override { return 2; }
    uint32_t label(size_t /*i*/) const override { return 1; }
    std::string name(size_t /*i*/) const override { return "dot"; }
    StatusOr<cv::Mat> Load(size_t /*i*/) const override {
      cv::Mat picture = cv::Mat::zeros(112, 112, CV_8UC3);
      picture.at<cv::Vec3b>(10, 20) = {0, 0, 255};  // red in BGR
      return picture;
    }
  };
  LoaderOptions options;
  options.sampler.batch = 1;
  options.augment.flip = 0.0;
  const OneDot dataset;
  auto loader = Loader::Start(dataset, options, nullptr);
  ASSERT_THAT(loader, IsOk());
  const auto batch = (*loader)->Next();
  ASSERT_THAT(batch, IsOk());
  const std::vector<float>& pixels = (*batch)->pixels;
  EXPECT_FLOAT_EQ(pixels[10 * 112 + 20], 1.0f);
  EXPECT_FLOAT_EQ(pixels[112 * 112 + 10 * 112 + 20], -1.0f);
  EXPECT_FLOAT_EQ(pixels[10 * 112 + 91], -1.0f);
}

TEST(LoaderTest, RefusesWhatHasNoMeaning) {
  const NoiseDataset dataset(3);
  const auto refused = [&](const LoaderOptions& options) {
    EXPECT_THAT(Loader::Start(dataset, options, nullptr), StatusIs(StatusCode::kInvalidArgument));
  };
  LoaderOptions options;
  options.threads = 0;
  refused(options);
  options = {};
  options.sampler.batch = 0;
  refused(options);
  options = {};
  options.augment.grey = 1.5;
  refused(options);
  EXPECT_THAT(Loader::Start(NoiseDataset(0), {}, nullptr), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
