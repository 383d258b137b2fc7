// Changes of a collection's settings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "facegate/storage/v1/records.pb.h"
#include "index/store/template_record.h"
#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

class CollectionSettingsTest : public GalleryTest {
 protected:
  StatusOr<CollectionInfo> SetMinCosine(std::optional<float> value, std::string_view etag = {}) {
    return gallery_->UpdateCollection("people", {.set_min_cosine = true, .min_cosine = value},
                                      etag);
  }
  CollectionInfo Info() const {
    const auto info = gallery_->GetCollection("people");
    FACEGATE_CHECK(info.ok());
    return *info;
  }
};

TEST_F(CollectionSettingsTest, SetsAndRemovesTheMinimumForGood) {
  Enrol("jane", Random());
  const CollectionInfo made = Info();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CollectionInfo set, SetMinCosine(0.25f));
  EXPECT_EQ(set.settings.min_cosine, 0.25f);
  EXPECT_EQ(set.create_time_us, made.create_time_us);
  EXPECT_GT(set.update_time_us, made.update_time_us);
  EXPECT_EQ(set.identity_count, 1u);
  Reopen();
  EXPECT_EQ(Info().settings.min_cosine, 0.25f);
  EXPECT_EQ(Info().etag, set.etag);
  EXPECT_EQ(Info().update_time_us, set.update_time_us);
  ASSERT_THAT(SetMinCosine(std::nullopt), IsOk());
  EXPECT_EQ(Info().settings.min_cosine, std::nullopt);
  Reopen();
  EXPECT_EQ(Info().settings.min_cosine, std::nullopt);
}

TEST_F(CollectionSettingsTest, KeepsWhatAChangeDoesNotName) {
  ASSERT_THAT(SetMinCosine(0.5f), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CollectionInfo info,
                                gallery_->UpdateCollection("people", {}, ""));
  EXPECT_EQ(info.settings.min_cosine, 0.5f);
}

TEST_F(CollectionSettingsTest, SetsAndRemovesEachQualityForGood) {
  ASSERT_THAT(gallery_->UpdateCollection("people",
                                         {.set_enrol_quality = true,
                                          .enrol_quality = 0.75f,
                                          .set_probe_quality = true,
                                          .probe_quality = 0.0f},
                                         ""),
              IsOk());
  ASSERT_THAT(SetMinCosine(0.5f), IsOk());
  Reopen();
  EXPECT_EQ(Info().settings.enrol_quality, 0.75f);
  EXPECT_EQ(Info().settings.probe_quality, 0.0f);
  ASSERT_THAT(gallery_->UpdateCollection("people", {.set_enrol_quality = true}, ""), IsOk());
  EXPECT_EQ(Info().settings.enrol_quality, std::nullopt);
  EXPECT_EQ(Info().settings.probe_quality, 0.0f);
}

TEST_F(CollectionSettingsTest, RefusesWhatIsNoQuality) {
  for (const float bad : {1.5f, -0.25f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(
        gallery_->UpdateCollection("people", {.set_enrol_quality = true, .enrol_quality = bad}, ""),
        RefusedWith(Reason::kInvalidField))
        << bad;
    EXPECT_THAT(
        gallery_->UpdateCollection("people", {.set_probe_quality = true, .probe_quality = bad}, ""),
        RefusedWith(Reason::kInvalidField))
        << bad;
    EXPECT_THAT(gallery_->CreateCollection("others", TestModel(), 4, {.enrol_quality = bad}),
                RefusedWith(Reason::kInvalidField))
        << bad;
  }
}

TEST_F(CollectionSettingsTest, HowItIsSearchedIsASettingForGood) {
  EXPECT_EQ(Info().settings.search, SearchKind::kExact);
  EXPECT_EQ(Info().approximate, std::nullopt);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const CollectionInfo set,
      gallery_->UpdateCollection("people", {.search = SearchKind::kHnsw}, ""));
  EXPECT_EQ(set.settings.search, SearchKind::kHnsw);
  ASSERT_TRUE(set.approximate.has_value());
  EXPECT_EQ(set.approximate->indexed, 0u) << "it has just begun";
  EXPECT_EQ(set.approximate->recall, std::nullopt);
  Reopen();
  EXPECT_EQ(Info().settings.search, SearchKind::kHnsw);
  EXPECT_TRUE(Info().approximate.has_value());
  ASSERT_THAT(gallery_->UpdateCollection("people", {.search = SearchKind::kExact}, ""), IsOk());
  EXPECT_EQ(Info().approximate, std::nullopt);
}

TEST_F(CollectionSettingsTest, HasAnotherEtagAfterEachChangeAlsoAfterReopening) {
  std::set<std::string> etags{Info().etag};
  for (int i = 0; i < 4; ++i) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const CollectionInfo info, SetMinCosine(0.5f));
    EXPECT_TRUE(etags.insert(info.etag).second) << i;
    EXPECT_EQ(Info().etag, info.etag);
    Reopen();
  }
  Enrol("jane", Random());
  EXPECT_EQ(etags.count(Info().etag), 1u) << "an identity is no setting";
}

TEST_F(CollectionSettingsTest, RefusesAnEtagOfBefore) {
  const std::string old = Info().etag;
  ASSERT_THAT(SetMinCosine(0.5f, old), IsOk());
  EXPECT_THAT(SetMinCosine(0.75f, old), RefusedWith(Reason::kEtagMismatch));
  EXPECT_EQ(Info().settings.min_cosine, 0.5f);
}

TEST_F(CollectionSettingsTest, RefusesWhatIsNoCosineAndUnknownCollections) {
  for (const float bad : {1.5f, -1.25f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(SetMinCosine(bad), RefusedWith(Reason::kInvalidField)) << bad;
  }
  EXPECT_THAT(gallery_->UpdateCollection("nobody", {}, ""),
              RefusedWith(Reason::kCollectionNotFound));
  EXPECT_THAT(gallery_->UpdateCollection("no id", {}, ""), RefusedWith(Reason::kInvalidField));
}

TEST_F(CollectionSettingsTest, ChangesOnceForARequestThatComesTwice) {
  const RequestId id{{1}};
  const std::string fingerprint(kFingerprintBytes, 'f');
  {
    const auto ticket = gallery_->BeginRequest(id, fingerprint);
    ASSERT_THAT(ticket, IsOk());
    ASSERT_THAT(gallery_->UpdateCollection(
                    "people", {.set_min_cosine = true, .min_cosine = 0.5f}, "",
                    {.ticket = &*ticket,
                     .answer = [](const CollectionInfo& info) { return "with " + info.etag; }}),
                IsOk());
  }
  const std::string answer = "with " + Info().etag;
  Reopen();
  const auto again = gallery_->BeginRequest(id, fingerprint);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->answer, answer);
}

// A version that could not change settings wrote them.
TEST_F(CollectionSettingsTest, OldRecordsWereLastChangedWhenTheyWereMade) {
  storage::v1::CollectionRecord record;
  record.set_id("people");
  record.set_uid(7);
  record.set_create_time_us(1234);
  record.set_embedding_size(16);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredCollection read,
                                DecodeCollection(7, record.SerializeAsString()));
  EXPECT_EQ(read.update_time_us, 1234);
  EXPECT_EQ(read.revision, 0u);
}

}  // namespace
}  // namespace facegate
