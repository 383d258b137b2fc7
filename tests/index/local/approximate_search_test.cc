// Collections whose search is approximate (CollectionSettings::search), with so few rows as tests
// have.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/index/local/gallery_fixture.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

class ApproximateSearchTest : public GalleryTest {
 protected:
  static constexpr int kLength = 64;
  static constexpr float kSameFace = 0.6f;  // strangers have lower cosines
  static constexpr size_t kPeople = 20;
  static constexpr size_t kFacesOfOne = 100;
  static constexpr uint64_t kFaces = kPeople * kFacesOfOne;

  ApproximateSearchTest() { CreateAndFill(); }

  // `wanted_recall` 0: the search takes no trouble.
  void Open(double wanted_recall) {
    gallery_.reset();
    auto gallery = OpenLocalGallery(
        {.directory = directory(),
         .approximate = {.least_rows = kFaces / 2, .wanted_recall = wanted_recall}},
        clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = *std::move(gallery);
  }
  void Change(const CollectionChange& change) {
    ASSERT_THAT(gallery_->UpdateCollection("city", change, ""), IsOk());
  }
  ApproximateSearch State() const {
    return gallery_->GetCollection("city")->approximate.value_or(ApproximateSearch{});
  }
  // Until all is indexed, and the recall measured.
  void Await() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while ((State().indexed < kFaces || !State().recall.has_value()) &&
           std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(State().indexed, kFaces);
    ASSERT_TRUE(State().recall.has_value());
  }
  static std::string NameOf(size_t person) { return "p" + std::to_string(person); }
  // Another photo of each twentieth face.
  std::vector<std::pair<std::string, Embedding>> Probes() {
    std::vector<std::pair<std::string, Embedding>> probes;
    for (size_t i = 0; i < faces_.size(); i += 20) {
      probes.emplace_back(NameOf(i / kFacesOfOne), RandomEmbeddingNear(random_, faces_[i], 0.6f));
    }
    return probes;
  }
  // The share of them whose own identity comes first.
  double Found() {
    size_t found = 0;
    const auto probes = Probes();
    for (const auto& [name, probe] : probes) {
      const auto candidates = Search(probe, 1, "city");
      EXPECT_THAT(candidates, IsOk());
      found += !candidates->empty() && candidates->front().identity == name ? 1 : 0;
    }
    return static_cast<double>(found) / static_cast<double>(probes.size());
  }

 private:
  void CreateAndFill() {
    FACEGATE_CHECK(gallery_->CreateCollection("city", TestModel(), kLength, {}).ok());
    for (size_t person = 0; person < kPeople; ++person) {
      std::vector<NewTemplate> faces;
      for (size_t i = 0; i < kFacesOfOne; ++i) {
        faces_.push_back(RandomEmbedding(random_, kLength));
        faces.push_back(TemplateOf(faces_.back()));
      }
      FACEGATE_CHECK(gallery_->Enrol("city", NameOf(person), TestModel(), faces, {}).ok());
    }
  }

  std::vector<Embedding> faces_;
};

TEST_F(ApproximateSearchTest, FindsAlmostEverybodyAndTellsHowMany) {
  Open(0.99);
  for (const SearchKind kind : {SearchKind::kHnsw, SearchKind::kIvf}) {
    Change({.search = kind});
    Await();
    EXPECT_GT(*State().recall, 0.5) << "of vectors that have no near ones";
    EXPECT_GE(Found(), 0.9);
  }
  Open(0.99);
  Await();
  EXPECT_GE(Found(), 0.9) << "after an opening, too";
}

TEST_F(ApproximateSearchTest, TheGuardOfDuplicatesMissesNobody) {
  Open(0.0);
  Change({.search = SearchKind::kIvf});
  Await();
  EXPECT_LT(Found(), 1.0) << "or this shows nothing";
  for (const auto& [name, probe] : Probes()) {
    const std::vector<NewTemplate> one{TemplateOf(probe)};
    EXPECT_THAT(gallery_->Enrol("city", "stranger", TestModel(), one, {.unique_from = kSameFace}),
                RefusedWith(Reason::kDuplicateFace))
        << name;
  }
}

TEST_F(ApproximateSearchTest, FollowsWhatTheScoreIsOf) {
  Open(0.99);
  Change({.search = SearchKind::kIvf});
  Await();
  Change({.fusion = Fusion::kMeanTemplate});
  EXPECT_EQ(State().indexed, 0u) << "there are too few means";
  Change({.fusion = Fusion::kBestTemplate});
  Await();
  Change({.search = SearchKind::kExact});
  EXPECT_EQ(gallery_->GetCollection("city")->approximate, std::nullopt);
  EXPECT_EQ(Found(), 1.0);
}

}  // namespace
}  // namespace facegate
