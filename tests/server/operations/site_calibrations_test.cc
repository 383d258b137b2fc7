#include "server/operations/site_calibrations.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "index/local/local_gallery.h"
#include "tests/support/fake_clock.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr double kAnyQuality = 0.25;

class SiteCalibrationsTest : public ::testing::Test {
 protected:
  static constexpr int kValues = 16;

  SiteCalibrationsTest() {
    auto gallery = OpenLocalGallery({.directory = dir_.File("store")}, clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = *std::move(gallery);
    Create({});
    Enrol(30, std::nullopt);
    calibrations_ = std::make_unique<SiteCalibrations>(*gallery_, clock_);
  }

  static ModelKey Model() {
    return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
  }
  void Create(const CollectionSettings& settings) {
    FACEGATE_CHECK(gallery_->CreateCollection("people", Model(), kValues, settings).ok());
  }
  // Enrols new identities, a template each.
  void Enrol(int count, std::optional<float> quality) {
    for (int i = 0; i < count; ++i) {
      NewTemplate added{.embedding = RandomEmbedding(random_, kValues), .detector = "none"};
      added.quality = quality;
      const std::vector<NewTemplate> one{added};
      FACEGATE_CHECK(gallery_->Enrol("people", fmt::format("p{}", next_++), Model(), one, {}).ok());
    }
  }
  CollectionInfo Info() const { return *gallery_->GetCollection("people"); }
  StatusOr<std::shared_ptr<const Calibration>> Of(double quality = kAnyQuality,
                                                  const StopCheck& stop = {}) {
    return calibrations_->Of(Info(), quality, stop);
  }
  static StopCheck TooLate() {
    return [] { return Refuse(Reason::kDeadline, "the deadline has passed"); };
  }

  TempDir dir_;
  FakeClock clock_;
  std::mt19937_64 random_{18};
  int next_ = 0;
  std::unique_ptr<GalleryBackend> gallery_;
  std::unique_ptr<SiteCalibrations> calibrations_;
};

TEST_F(SiteCalibrationsTest, KeepsOneUntilItIsAnHourOld) {
  const auto first = *Of();
  EXPECT_EQ(*Of(), first);
  clock_.Advance(SiteCalibrations::kOutdatedAfter);
  const auto second = *Of();
  EXPECT_NE(second, first);
  EXPECT_EQ(second->id, first->id) << "nothing has changed";
}

TEST_F(SiteCalibrationsTest, GivesTheOutdatedOneWhereItCannotBeMadeAgain) {
  const auto first = *Of();
  clock_.Advance(SiteCalibrations::kOutdatedAfter);
  const auto late = Of(kAnyQuality, TooLate());
  ASSERT_THAT(late, IsOk());
  EXPECT_EQ(*late, first);
  EXPECT_NE(*Of(), first) << "the next call makes it";
}

TEST_F(SiteCalibrationsTest, OfAnotherQualityThereIsNone) {
  ASSERT_THAT(Of(), IsOk());
  EXPECT_THAT(Of(0.75, TooLate()), RefusedWith(Reason::kDeadline));
}

TEST_F(SiteCalibrationsTest, LeavesOutTemplatesBelowTheQuality) {
  Enrol(5, 0.1f);
  const auto made = *Of(0.5);
  EXPECT_EQ(made->people, 30u);
  EXPECT_EQ(made->probe_quality, 0.5);
  EXPECT_EQ(made->photos_left_out, 0u) << "of the people who are compared";
  EXPECT_EQ((*Of(0.05))->people, 35u);
}

TEST_F(SiteCalibrationsTest, ACallIsNotKeptWaitingForAnother) {
  std::latch at_work(1);
  std::latch go_on(1);
  std::jthread first([&] {
    bool asked = false;
    const auto made = Of(kAnyQuality, [&] {
      if (!asked) {
        asked = true;
        at_work.count_down();
        go_on.wait();
      }
      return OkStatus();
    });
    EXPECT_THAT(made, IsOk());
  });
  at_work.wait();
  const auto second = Of();
  EXPECT_THAT(second, RefusedWith(Reason::kQueueFull));
  EXPECT_TRUE(RetryAfterOf(second.status()).has_value());
  go_on.count_down();
  first.join();
  EXPECT_THAT(Of(), IsOk());
}

TEST_F(SiteCalibrationsTest, AGuardAgainstDuplicatesForbidsIt) {
  ASSERT_THAT(
      gallery_->UpdateCollection("people", {.set_duplicate_fmr = true, .duplicate_fmr = 0.01}, ""),
      IsOk());
  const auto refused = Of();
  EXPECT_THAT(refused, RefusedWith(Reason::kCalibrationUnsupported));
  EXPECT_THAT(std::string(MessageOf(refused.status())), HasSubstr("duplicate_fmr"));
}

TEST_F(SiteCalibrationsTest, AnotherCollectionOfTheIdHasItsOwn) {
  const std::string first = (*Of())->id;
  ASSERT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  clock_.Advance(std::chrono::seconds(1));
  Create({});
  Enrol(30, std::nullopt);
  EXPECT_NE((*Of())->id, first);
}

}  // namespace
}  // namespace facegate
