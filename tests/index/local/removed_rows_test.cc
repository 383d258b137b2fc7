// What was removed does not stay in memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/index/local/gallery_fixture.h"
#include "tests/support/fake_clock.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

class RemovedRowsTest : public ::testing::Test {
 protected:
  RemovedRowsTest() {
    auto gallery =
        OpenLocalGallery({.directory = dir_.File("store"), .upkeep_interval = 1ms}, clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = *std::move(gallery);
    FACEGATE_CHECK(gallery_->CreateCollection("people", TestModel(), kSize, {}).ok());
    std::mt19937_64 random(1);
    std::vector<NewTemplate> faces;
    for (int i = 0; i < 40; ++i) faces.push_back(TemplateOf(RandomEmbedding(random, kSize)));
    FACEGATE_CHECK(gallery_->Enrol("people", "ada", TestModel(), faces, {}).ok());
  }
  void Delete(size_t templates) {
    const auto listed = gallery_->ListTemplates("people", "ada", 0, templates);
    ASSERT_THAT(listed, IsOk());
    for (const TemplateInfo& one : *listed) {
      ASSERT_THAT(gallery_->DeleteTemplate("people", "ada", one.id), IsOk());
    }
  }
  uint64_t Removed() const { return gallery_->Stats().value().removed_rows; }
  // Whether at most `most` are left of what was removed, after as long as that may take.
  bool AreMoved(uint64_t most = 0) const {
    const auto patience = std::chrono::steady_clock::now() + 20s;
    while (Removed() > most && std::chrono::steady_clock::now() < patience) {
      std::this_thread::sleep_for(1ms);
    }
    return Removed() <= most;
  }

  static constexpr int kSize = 16;
  const TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<GalleryBackend> gallery_;
};

TEST_F(RemovedRowsTest, OfWhichThereAreManyGoSoon) {
  Delete(10);
  EXPECT_TRUE(AreMoved(4)) << "less than an eighth";
}

TEST_F(RemovedRowsTest, OfWhichThereAreFewGoWithinTenMinutes) {
  Delete(1);
  std::this_thread::sleep_for(30ms);
  EXPECT_EQ(Removed(), 1u) << "it is not worth while yet";
  clock_.Advance(10min);
  EXPECT_TRUE(AreMoved());
  Delete(1);
  clock_.Advance(9min);
  std::this_thread::sleep_for(30ms);
  EXPECT_EQ(Removed(), 1u);
  clock_.Advance(1min);
  EXPECT_TRUE(AreMoved());
}

}  // namespace
}  // namespace facegate
