// The answers of writes with a request id go with what they tell of, from the files too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/index/local/requests_fixture.h"
#include "tests/support/fake_clock.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

// A change takes away what the answers of before may tell; that they were made stays known.
class OutdatedAnswersTest : public RequestsTest {
 protected:
  OutdatedAnswersTest() {
    EnrolAs(1, "jane", "of jane");
    EnrolAs(2, "john", "of john");
    extra_ = Enrol("jane", Random());
    Label({{"team", "red"}});
  }
  void Label(const Labels& set, const std::vector<std::string>& remove = {}) {
    EXPECT_THAT(gallery_->UpdateLabels("people", "jane",
                                       {.replace_all = false, .set = set, .remove = remove}, ""),
                IsOk());
  }
  void ExpectOutdated() {
    NowAndLater([&] {
      EXPECT_THAT(Begin(1), RefusedWith(Reason::kAnswerErased));
      EXPECT_THAT(Begin(1, 'g'), RefusedWith(Reason::kRequestIdReused));
      EXPECT_EQ(AnswerOf(2), "of john");
    });
  }

  uint64_t extra_ = 0;
};

TEST_F(OutdatedAnswersTest, StayWhereAChangeOnlyAdds) {
  Label({{"team", "red"}, {"site", "2"}});
  Enrol("jane", Random());
  NowAndLater([&] { EXPECT_EQ(AnswerOf(1), "of jane"); });
}

TEST_F(OutdatedAnswersTest, GoWithARemovedLabel) {
  Label({}, {"team"});
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithAnOverwrittenLabel) {
  Label({{"team", "blue"}});
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithAnOldId) {
  ASSERT_THAT(gallery_->RenameIdentity("people", "jane", "janet", ""), IsOk());
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithADeletedTemplate) {
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", extra_), IsOk());
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithTheSourceOfAMerge) {
  {
    const auto ticket = Begin(3);
    ASSERT_THAT(ticket, IsOk());
    ASSERT_THAT(
        gallery_->MergeIdentities("people", {.id = "jane", .etag = {}}, {.id = "john", .etag = {}},
                                  Answering<MergeResult>(*ticket, "merged")),
        IsOk());
  }
  ExpectOutdated();
  EXPECT_EQ(AnswerOf(3), "merged");
  ASSERT_THAT(gallery_->DeleteIdentity("people", "john"), IsOk());
  NowAndLater([&] {
    for (const uint64_t id : {2, 3}) {
      EXPECT_THAT(Begin(id), RefusedWith(Reason::kIdentityNotFound)) << id;
    }
  });
}

TEST_F(OutdatedAnswersTest, StayOutdatedWhenTheIdentityIsDeleted) {
  Label({}, {"team"});
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithTheirCollectionAtLast) {
  Label({}, {"team"});
  ASSERT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  NowAndLater([&] { EXPECT_THAT(Begin(1), RefusedWith(Reason::kCollectionNotFound)); });
}

class RequestErasureTest : public RequestsTest {
 protected:
  static constexpr char kAnswer[] = "an answer that tells of jane";
  static constexpr char kOther[] = "an answer that tells of john";

  size_t Count(const std::string& bytes) { return CountInFiles(directory(), bytes); }
  void ExpectErased() {
    ASSERT_GT(Count(kAnswer), 0u);
    ASSERT_THAT(gallery_->Compact(), IsOk());
    gallery_.reset();
    EXPECT_EQ(Count(kAnswer), 0u);
    EXPECT_GT(Count(std::string(kFingerprintBytes, 'f')), 0u) << "the mark of it stays";
    gallery_ = OpenOrDie(directory(), clock_);
    EXPECT_EQ(Count(kAnswer), 0u);
  }
};

TEST_F(RequestErasureTest, LeavesNoByteOfAnAnswerWithItsIdentity) {
  EnrolAs(1, "jane", kAnswer);
  EnrolAs(2, "john", kOther);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  ExpectErased();
  EXPECT_GT(Count(kOther), 0u);
  EXPECT_EQ(AnswerOf(2), kOther);
}

TEST_F(RequestErasureTest, LeavesNoByteOfAnswersInOldTables) {
  EnrolAs(1, "jane", kAnswer);
  EnrolAs(2, "john", kOther);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Reopen();
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  ExpectErased();
  EXPECT_EQ(AnswerOf(2), kOther);
}

TEST_F(RequestErasureTest, LeavesNoByteOfAnswersWithTheirCollection) {
  EnrolAs(1, "jane", kAnswer);
  ASSERT_THAT(DeleteCollectionAs(2, kOther), IsOk());
  ExpectErased();
  EXPECT_EQ(AnswerOf(2), kOther);
}

TEST_F(RequestErasureTest, LeavesNoByteOfAnAnswerThatALaterChangeOutdates) {
  EnrolAs(1, "jane", kAnswer);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Reopen();
  ASSERT_THAT(gallery_->RenameIdentity("people", "jane", "janet", ""), IsOk());
  ExpectErased();
}

// It happens by itself, without another change.
TEST_F(RequestErasureTest, LeavesNoByteOfAnAnswerThatIsTooOld) {
  FakeClock clock;
  gallery_.reset();
  auto opened = OpenLocalGallery({.directory = directory(),
                                  .erase_delay = std::chrono::milliseconds(1),
                                  .upkeep_interval = std::chrono::milliseconds(5)},
                                 clock);
  ASSERT_THAT(opened, IsOk());
  gallery_ = *std::move(opened);
  EnrolAs(1, "jane", kAnswer);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  ASSERT_GT(Count(kAnswer), 0u);
  clock.Advance(kRequestLifetime + std::chrono::seconds(1));
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (Count(kAnswer) > 0 && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(Count(kAnswer), 0u);
  EXPECT_EQ(AnswerOf(1), std::nullopt);
  gallery_.reset();  // before its clock
}

}  // namespace
}  // namespace facegate
