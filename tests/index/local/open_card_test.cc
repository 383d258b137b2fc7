#include "index/local/open_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "index/rows/card/half.h"
#include "tests/index/local/gallery_fixture.h"
#include "tests/index/rows/card/fake_card.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OpenCardTest : public GalleryTest {
 protected:
  // Gives a card with a GB of memory, and notes its number.
  CardOpener Giving() {
    return [this](int number) -> StatusOr<std::unique_ptr<SearchCard>> {
      opened_.push_back(number);
      card_ = std::make_shared<FakeCard::State>();
      card_->capacity = 1'000'000'000;
      return std::make_unique<FakeCard>(card_);
    };
  }
  static CardOpener Refusing() {
    return [](int /*number*/) -> StatusOr<std::unique_ptr<SearchCard>> {
      return FailedPrecondition("the driver is missing");
    };
  }
  // What the log gets of it.
  static std::string LogOf(const CardChoice& choice) {
    ::testing::internal::CaptureStderr();
    EXPECT_THAT(OpenCard(choice), IsOk());
    return ::testing::internal::GetCapturedStderr();
  }

  // Opens the gallery with a card, after enrolling many faces of each.
  void OpenWith(const std::vector<std::string>& identities) {
    for (const std::string& identity : identities) {
      std::vector<NewTemplate> faces;
      for (uint64_t i = 0; i < kFaces; ++i) faces.push_back(TemplateOf(Random()));
      ASSERT_THAT(gallery_->Enrol("people", identity, TestModel(), faces, {}), IsOk());
    }
    gallery_.reset();
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        gallery_, OpenLocalGallery({.directory = directory(),
                                    .card = {.device = "cuda:0", .least_rows = 0, .open = Giving()},
                                    .upkeep_interval = std::chrono::milliseconds(1)},
                                   clock_));
  }
  // Whether it comes to be so, with much patience.
  template <typename Condition>
  static bool Await(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  bool IsOnCard(const Embedding& face) const {
    std::vector<uint16_t> halves(face.size());
    double residual = 0.0;
    EXPECT_TRUE(RoundToHalves(face.values(), halves, residual));
    return card_->Has(halves);
  }

  static constexpr uint64_t kFaces = 300;  // fewer are not worth the card
  std::vector<int> opened_;
  std::shared_ptr<FakeCard::State> card_;  // the last one that was given
};

TEST_F(OpenCardTest, OpensNoneForTheCpu) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto card, OpenCard({.open = Giving()}));
  EXPECT_EQ(card, nullptr);
  EXPECT_THAT(opened_, IsEmpty());
}

TEST_F(OpenCardTest, OpensTheCardOfThatNumber) {
  for (const char* device : {"cuda:3", "cuda", "auto"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto card, OpenCard({.device = device, .open = Giving()}));
    ASSERT_NE(card, nullptr) << device;
    EXPECT_EQ(card->name(), "cuda:0 (no card)");
  }
  EXPECT_THAT(opened_, ElementsAre(3, 0, 0));
}

TEST_F(OpenCardTest, TakesTheBytesItIsGivenOrAShareOfWhatIsFree) {
  EXPECT_THAT(LogOf({.device = "cuda:0", .bytes = 42'000'000, .open = Giving()}),
              HasSubstr("searches run on cuda:0 (no card), templates take up to 42 MB there"));
  EXPECT_THAT(LogOf({.device = "cuda:0", .open = Giving()}), HasSubstr("up to 700 MB"));
}

TEST_F(OpenCardTest, AutoTakesTheCpuWhereNoCardCanBeUsedAndSaysWhy) {
  EXPECT_THAT(LogOf({.device = "auto", .open = Refusing()}),
              HasSubstr("searches run on the CPU, no card is used: the driver is missing"));
}

TEST_F(OpenCardTest, ACardThatIsNamedMustBeUsable) {
  const auto refused = OpenCard({.device = "cuda:1", .open = Refusing()});
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(refused.status())),
              HasSubstr("index_device cuda:1: the driver is missing; use auto or cpu"));
  const auto unknown = OpenCard({.device = "gpu"});
  EXPECT_THAT(unknown, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(unknown.status())), HasSubstr("index_device"));
}

#ifndef FACEGATE_GPU
TEST_F(OpenCardTest, ABuildForCpusHasNoneAndAutoDoesNotLook) {
  EXPECT_EQ(LogOf({.device = "auto"}), "");
  EXPECT_THAT(std::string(MessageOf(OpenCard({.device = "cuda:0"}).status())),
              HasSubstr("index_device cuda:0: this build is for CPUs alone"));
}
#endif

TEST_F(OpenCardTest, TheGallerysFiguresTellOfTheCard) {
  EXPECT_EQ(gallery_->Stats()->search_device, "cpu");
  OpenWith({"jane"});
  EXPECT_EQ(gallery_->Stats()->search_device, "cuda:0 (no card)");
  EXPECT_TRUE(Await([this] { return gallery_->Stats()->rows_on_card == kFaces; }));
}

TEST_F(OpenCardTest, WhatWasDeletedLeavesTheCardWithoutASearch) {
  OpenWith({"jane", "john"});
  const uint64_t first = gallery_->ListTemplates("people", "jane", 0, 1)->front().id;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Embedding face,
                                gallery_->GetEmbedding("people", "jane", first));
  ASSERT_TRUE(Await([&] { return IsOnCard(face); }));
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane", ""), IsOk());
  EXPECT_TRUE(Await([&] { return !IsOnCard(face); }));
}

TEST_F(OpenCardTest, AGalleryDoesNotOpenWithoutTheCardThatIsNamed) {
  gallery_.reset();
  EXPECT_THAT(
      OpenLocalGallery({.directory = directory(), .card = {.device = "cuda:0", .open = Refusing()}},
                       clock_),
      StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(OpenCardTest, AGalleryThatIsInUseIsRefusedBeforeTheCardIsTouched) {
  EXPECT_THAT(
      OpenLocalGallery({.directory = directory(), .card = {.device = "cuda:0", .open = Giving()}},
                       clock_),
      StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(opened_, IsEmpty());
}

}  // namespace
}  // namespace facegate
