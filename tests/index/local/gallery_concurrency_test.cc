#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

#include "index/local/collection.h"
#include "tests/index/local/gallery_fixture.h"
#include "tests/support/faulty_store.h"
#include "tests/support/rounds.h"

namespace facegate {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRounds = 60;
#else
constexpr int kRounds = 150;
#endif

using GalleryConcurrencyTest = GalleryTest;

// Rows move all the time.
TEST_F(GalleryConcurrencyTest, NeverGivesAStaleAnswer) {
  gallery_.reset();
  FACEGATE_ASSERT_OK_AND_ASSIGN(gallery_,
                                OpenLocalGallery({.directory = dir_.File("store"),
                                                  .upkeep_interval = std::chrono::milliseconds(1)},
                                                 clock_));
  for (int i = 0; i < 100; ++i) Enrol("bystander-" + std::to_string(i), Random());
  std::atomic<int> stale{0};
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread));
    for (int round = 0; round < Rounds(kRounds, 1250); ++round) {
      const std::string name = fmt::format("t{}-r{}", thread, round % 3);
      const Embedding embedding = RandomEmbedding(random, kSize);
      const uint64_t id = Enrol(name, embedding);
      const auto after_enrolment = Search(embedding, 1);
      if (!after_enrolment.ok() || after_enrolment->size() != 1 ||
          after_enrolment->front().identity != name || after_enrolment->front().template_id != id) {
        ++stale;
      }
      const Status deleted = round % 2 == 0 ? gallery_->DeleteIdentity("people", name).status()
                                            : gallery_->DeleteTemplate("people", name, id);
      if (!deleted.ok()) ++stale;
      const auto after_deletion = Search(embedding, 50);
      if (!after_deletion.ok()) ++stale;
      for (const Candidate& candidate : *after_deletion) {
        if (candidate.template_id == id || candidate.identity == name) ++stale;
      }
    }
  });
  EXPECT_EQ(stale, 0);
}

// Whatever the threads did to the same few names, memory and store agree at the end.
TEST_F(GalleryConcurrencyTest, KeepsMemoryEqualToTheStore) {
  std::atomic<int> unexpected{0};
  const auto expect = [&](const Status& status, std::initializer_list<Reason> allowed) {
    if (status.ok()) return;
    const auto reason = ReasonOf(status);
    if (!reason.has_value() ||
        std::find(allowed.begin(), allowed.end(), *reason) == allowed.end()) {
      ADD_FAILURE() << status;
      ++unexpected;
    }
  };
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread) + 100);
    for (int round = 0; round < kRounds; ++round) {
      const std::string name = "p" + std::to_string(random() % 4);
      const std::string where = random() % 4 == 0 ? "short-lived" : "people";
      const std::vector<NewTemplate> templates(random() % 3 + 1,
                                               TemplateOf(RandomEmbedding(random, kSize)));
      switch (random() % 8) {
        case 0:
          expect(gallery_->DeleteIdentity(where, name).status(),
                 {Reason::kIdentityNotFound, Reason::kCollectionNotFound});
          break;
        case 1: {
          const auto listed = gallery_->ListTemplates(where, name, 0, 9);
          if (!listed.ok() || listed->empty()) break;
          expect(
              gallery_->DeleteTemplate(where, name, listed->front().id),
              {Reason::kTemplateNotFound, Reason::kIdentityNotFound, Reason::kCollectionNotFound});
          break;
        }
        case 2:
          expect(gallery_->CreateCollection("short-lived", TestModel(), kSize, {}).status(),
                 {Reason::kCollectionExists});
          break;
        case 3:
          expect(gallery_->DeleteCollection("short-lived", random() % 2 == 0),
                 {Reason::kCollectionNotFound, Reason::kCollectionNotEmpty});
          break;
        default:
          expect(
              gallery_
                  ->Enrol(where, name, TestModel(), templates, {.must_be_new = random() % 4 == 0})
                  .status(),
              {Reason::kIdentityExists, Reason::kCollectionNotFound});
          expect(Search(templates.front().embedding, 3, where).status(),
                 {Reason::kCollectionNotFound});
          expect(gallery_->Stats().status(), {});
      }
    }
  });
  EXPECT_EQ(unexpected, 0);
  const GallerySnapshot before = SnapshotOf(*gallery_);
  Reopen();
  EXPECT_EQ(SnapshotOf(*gallery_), before);
}

TEST_F(GalleryConcurrencyTest, MakesAnIdentityOnceWhenAllEnrolItAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = "twin-" + std::to_string(round);
    std::atomic<int> made{0};
    std::latch ready(kThreads);
    InParallel([&](int thread) {
      std::mt19937_64 random(static_cast<uint64_t>(round * kThreads + thread));
      const std::vector<NewTemplate> one{TemplateOf(RandomEmbedding(random, kSize))};
      ready.arrive_and_wait();
      const auto result = gallery_->Enrol("people", name, TestModel(), one, {});
      FACEGATE_CHECK(result.ok());
      if (result->created_identity) ++made;
    });
    EXPECT_EQ(made, 1);
    EXPECT_EQ(gallery_->GetIdentity("people", name)->template_count, size_t{kThreads});
  }
  const GallerySnapshot before = SnapshotOf(*gallery_);
  Reopen();
  EXPECT_EQ(SnapshotOf(*gallery_), before);
}

TEST_F(GalleryConcurrencyTest, LetsOneWinWhereTheIdentityMustBeNew) {
  std::atomic<int> made{0};
  std::latch ready(kThreads);
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread));
    const std::vector<NewTemplate> one{TemplateOf(RandomEmbedding(random, kSize))};
    ready.arrive_and_wait();
    const auto result = gallery_->Enrol("people", "jane", TestModel(), one, {.must_be_new = true});
    if (result.ok()) {
      ++made;
    } else {
      EXPECT_THAT(result, RefusedWith(Reason::kIdentityExists));
    }
  });
  EXPECT_EQ(made, 1);
  EXPECT_EQ(gallery_->Stats()->templates, 1u);
}

TEST_F(GalleryConcurrencyTest, MakesACollectionOnceWhenAllCreateItAtOnce) {
  std::atomic<int> made{0};
  InParallel([&](int) {
    const auto result = gallery_->CreateCollection("new", TestModel(), 4, {});
    if (result.ok()) {
      ++made;
    } else {
      EXPECT_THAT(result, RefusedWith(Reason::kCollectionExists));
    }
  });
  EXPECT_EQ(made, 1);
  Reopen();
  EXPECT_EQ(gallery_->Stats()->collections, 2u);
}

// The store stops before each write.
class GalleryOrderTest : public ::testing::Test {
 protected:
  static constexpr size_t kSize = 16;

  GalleryOrderTest() {
    auto inner = OpenTemplateStore({.directory = dir_.File("store")});
    FACEGATE_CHECK(inner.ok());
    auto store = std::make_unique<FaultyStore>(*std::move(inner));
    store_ = store.get();
    auto gallery = OpenLocalGallery(std::move(store), {}, clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = *std::move(gallery);
    FACEGATE_CHECK(gallery_->CreateCollection("people", TestModel(), kSize, {}).ok());
  }

  Status Enrol(const std::string& identity, const Embedding& embedding) {
    const std::vector<NewTemplate> one{TemplateOf(embedding)};
    return gallery_->Enrol("people", identity, TestModel(), one, {}).status();
  }

  TempDir dir_;
  CountingClock clock_;
  std::mt19937_64 random_{1};
  const Embedding embedding_ = RandomEmbedding(random_, kSize);
  FaultyStore* store_ = nullptr;
  std::unique_ptr<GalleryBackend> gallery_;
};

// Writes can share a sync only when they are in the store together.
TEST_F(GalleryOrderTest, HasChangesOfDifferentIdentitiesInTheStoreTogether) {
  IdentityLocks locks;
  ASSERT_NE(&locks.Of(1, "jane"), &locks.Of(1, "john")) << "choose names with different locks";
  std::latch both_inside(2);
  store_->SetBeforeWrite([&] { both_inside.arrive_and_wait(); });
  std::jthread other([&] { EXPECT_THAT(Enrol("john", embedding_), IsOk()); });
  EXPECT_THAT(Enrol("jane", embedding_), IsOk());
  other.join();
  EXPECT_EQ(gallery_->Stats()->identities, 2u);
}

TEST_F(GalleryOrderTest, HasChangesOfOneIdentityInTheStoreInTurn) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  store_->SetBeforeWrite([&] {
    most = std::max(most.load(), ++inside);
    std::this_thread::yield();
    --inside;
  });
  InParallel([&](int) {
    for (int i = 0; i < 20; ++i) EXPECT_THAT(Enrol("jane", embedding_), IsOk());
  });
  EXPECT_EQ(most, 1);
  EXPECT_EQ(gallery_->Stats()->templates, size_t{20} * kThreads);
}

TEST_F(GalleryOrderTest, SearchesAndListsDuringAWrite) {
  std::latch inside(1);
  std::latch go_on(1);
  store_->SetBeforeWrite([&] {
    inside.count_down();
    go_on.wait();
  });
  std::jthread writer([&] { EXPECT_THAT(Enrol("jane", embedding_), IsOk()); });
  inside.wait();
  EXPECT_TRUE(gallery_->Search("people", TestModel(), embedding_, {.k = 9})->empty());
  EXPECT_TRUE(gallery_->ListIdentities("people", "", 9)->items.empty());
  EXPECT_EQ(gallery_->GetCollection("people")->identity_count, 0u);
  go_on.count_down();
  writer.join();
  EXPECT_EQ(gallery_->Search("people", TestModel(), embedding_, {.k = 9})->size(), 1u);
}

TEST_F(GalleryOrderTest, DeletesACollectionAfterTheWriteThatIsUnderWay) {
  std::latch inside(1);
  std::latch go_on(1);
  std::atomic<bool> first{true};
  std::atomic<bool> enrolled{false};
  std::atomic<bool> enrolled_before_deletion{false};
  store_->SetBeforeWrite([&] {
    if (first.exchange(false)) {
      inside.count_down();
      go_on.wait();
    } else {
      enrolled_before_deletion = enrolled.load();
    }
  });
  std::jthread writer([&] { EXPECT_THAT(Enrol("jane", embedding_), IsOk()); });
  inside.wait();
  std::jthread deleter([&] { EXPECT_THAT(gallery_->DeleteCollection("people", true), IsOk()); });
  // The deletion cannot reach the store before the enrolment has left it.
  enrolled = true;
  go_on.count_down();
  writer.join();
  deleter.join();
  EXPECT_TRUE(enrolled_before_deletion);
  EXPECT_THAT(Enrol("jane", embedding_), RefusedWith(Reason::kCollectionNotFound));
  store_->SetBeforeWrite({});
  gallery_.reset();
  gallery_ = OpenOrDie(dir_.File("store"), clock_);
  EXPECT_EQ(gallery_->Stats()->collections, 0u);
}

}  // namespace
}  // namespace facegate
