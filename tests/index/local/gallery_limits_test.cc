// Bounds on what one identity and one call may hold, and times that the clock must not turn back.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/index/local/gallery_fixture.h"
#include "tests/support/fake_clock.h"

namespace facegate {
namespace {

class TemplateQuotaTest : public GalleryTest {
 protected:
  Status EnrolMany(const std::string& identity, size_t count) {
    const std::vector<NewTemplate> templates(count, TemplateOf(Random()));
    return gallery_->Enrol("people", identity, TestModel(), templates, {}).status();
  }
  uint64_t CountOf(const std::string& identity) const {
    return gallery_->GetIdentity("people", identity)->template_count;
  }
};

TEST_F(TemplateQuotaTest, EnrolsUpToTheBoundAndNoFurther) {
  ASSERT_THAT(EnrolMany("jane", kMaxTemplatesOfIdentity - 1), IsOk());
  EXPECT_THAT(EnrolMany("jane", 2), RefusedWith(Reason::kQuotaExceeded));
  EXPECT_EQ(CountOf("jane"), kMaxTemplatesOfIdentity - 1) << "all or none";
  EXPECT_THAT(EnrolMany("jane", 1), IsOk());
  EXPECT_THAT(EnrolMany("jane", 1), RefusedWith(Reason::kQuotaExceeded));
  EXPECT_THAT(EnrolMany("john", kMaxTemplatesOfIdentity + 1), RefusedWith(Reason::kQuotaExceeded));
  EXPECT_THAT(gallery_->GetIdentity("people", "john"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(TemplateQuotaTest, MergesUpToTheBoundAndNoFurther) {
  ASSERT_THAT(EnrolMany("jane", kMaxTemplatesOfIdentity - 3), IsOk());
  ASSERT_THAT(EnrolMany("john", 4), IsOk());
  ASSERT_THAT(EnrolMany("joan", 3), IsOk());
  EXPECT_THAT(
      gallery_->MergeIdentities("people", {.id = "john", .etag = {}}, {.id = "jane", .etag = {}}),
      RefusedWith(Reason::kQuotaExceeded));
  EXPECT_EQ(CountOf("john"), 4u);
  EXPECT_THAT(
      gallery_->MergeIdentities("people", {.id = "joan", .etag = {}}, {.id = "jane", .etag = {}}),
      IsOk());
  EXPECT_EQ(CountOf("jane"), kMaxTemplatesOfIdentity);
}

// A clock that is set back is no time that runs back.
class TurnedBackClockTest : public GalleryTest {
 protected:
  TurnedBackClockTest() {
    gallery_.reset();
    gallery_ = OpenOrDie(directory(), turned_);
    Enrol("jane", Random());
    Enrol("john", Random());
    made_ = Get("jane");
    turned_.Advance(-std::chrono::hours(24));
  }
  ~TurnedBackClockTest() override { gallery_.reset(); }

  IdentityInfo Get(const std::string& identity) const {
    return *gallery_->GetIdentity("people", identity);
  }
  void ExpectNotBefore(const IdentityInfo& info) const {
    EXPECT_EQ(info.create_time_us, made_.create_time_us);
    EXPECT_GE(info.update_time_us, made_.update_time_us);
  }

  FakeClock turned_;
  IdentityInfo made_;
};

TEST_F(TurnedBackClockTest, LeavesTheTimesOfAnIdentityInOrder) {
  Enrol("jane", Random());
  ExpectNotBefore(Get("jane"));
  EXPECT_EQ(gallery_->ListTemplates("people", "jane", 0, 9)->back().create_time_us,
            Get("jane").update_time_us);
  ASSERT_THAT(gallery_->UpdateLabels("people", "jane",
                                     {.replace_all = false, .set = {{"a", "1"}}, .remove = {}}, ""),
              IsOk());
  ExpectNotBefore(Get("jane"));
  ASSERT_THAT(
      gallery_->MergeIdentities("people", {.id = "john", .etag = {}}, {.id = "jane", .etag = {}}),
      IsOk());
  ExpectNotBefore(Get("jane"));
  ASSERT_THAT(gallery_->RenameIdentity("people", "jane", "janet", ""), IsOk());
  ExpectNotBefore(Get("janet"));
}

TEST_F(TurnedBackClockTest, LeavesTheTimesOfACollectionInOrder) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CollectionInfo made, gallery_->GetCollection("people"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CollectionInfo changed,
                                gallery_->UpdateCollection("people", {}, ""));
  EXPECT_GE(changed.update_time_us, made.update_time_us);
}

// The requests of a deleted collection are buried a few at a time, whoever is killed in between.
class DeletedCollectionTest : public GalleryTest {
 protected:
  static constexpr uint64_t kRequests = 1200;
  static constexpr char kTold[] = "an answer that tells of someone";

  DeletedCollectionTest() {
    for (uint64_t id = 1; id <= kRequests; ++id) {
      const auto ticket = Begin(*gallery_, id);
      FACEGATE_CHECK(ticket.ok());
      const std::vector<NewTemplate> one{TemplateOf(Random())};
      FACEGATE_CHECK(
          gallery_
              ->Enrol("people", fmt::format("p{}", id % 100), TestModel(), one, {},
                      {.ticket = &*ticket, .answer = [](const EnrolResult&) { return kTold; }})
              .ok());
    }
    FACEGATE_CHECK(gallery_->DeleteCollection("people", true).ok());
  }

  static StatusOr<RequestTicket> Begin(Journal& gallery, uint64_t number) {
    RequestId id;
    id.bytes = {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number), 1};
    return gallery.BeginRequest(id, std::string(kFingerprintBytes, 'f'));
  }
  static void ExpectBuried(Journal& gallery) {
    for (const uint64_t id : {uint64_t{1}, uint64_t{600}, kRequests}) {
      EXPECT_THAT(Begin(gallery, id), RefusedWith(Reason::kCollectionNotFound)) << id;
    }
  }
};

TEST_F(DeletedCollectionTest, CountsAsGoneAtOnceAndLeavesNoAnswer) {
  ExpectBuried(*gallery_);
  // Another one of that id is not what the requests wrote to.
  ASSERT_THAT(gallery_->CreateCollection("people", TestModel(), kSize, {}), IsOk());
  ExpectBuried(*gallery_);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  ExpectBuried(*gallery_);
  Reopen();
  EXPECT_EQ(CountInFiles(directory(), kTold), 0u);
  ExpectBuried(*gallery_);
}

TEST_F(DeletedCollectionTest, IsBuriedByTheNextProcessAfterAKill) {
  const std::string killed = dir_.File("killed");
  std::filesystem::copy(directory(), killed, std::filesystem::copy_options::recursive);
  // Each buries some of them when it is closed, at the latest.
  for (int opening = 0; opening < 3; ++opening) {
    auto gallery = OpenLocalGallery({.directory = killed}, clock_);
    ASSERT_THAT(gallery, IsOk());
    EXPECT_EQ((*gallery)->Stats()->collections, 0u);
    ExpectBuried(**gallery);
  }
  EXPECT_EQ(CountInFiles(killed, kTold), 0u);
}

}  // namespace
}  // namespace facegate
