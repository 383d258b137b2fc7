// Labels, etags, new ids, merges and deletions of identities by way of GalleryService.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

class IdentityChangesServiceTest : public ServiceTest {
 protected:
  v1::Identity Get(const std::string& identity) {
    v1::GetIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    v1::GetIdentityResponse response;
    EXPECT_THAT(galleries_->GetIdentity(call_, request, &response), IsOk());
    return response.identity();
  }
  using Given = std::map<std::string, std::string>;
  StatusOr<v1::Identity> Update(const std::vector<std::string>& paths, const Given& labels,
                                const std::string& etag = "") {
    v1::UpdateIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id("7");
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    request.mutable_identity()->mutable_labels()->insert(labels.begin(), labels.end());
    request.mutable_identity()->set_etag(etag);
    v1::UpdateIdentityResponse response;
    FACEGATE_RETURN_IF_ERROR(galleries_->UpdateIdentity(call_, request, &response));
    return response.identity();
  }
  static Given LabelsOf(const v1::Identity& identity) {
    return {identity.labels().begin(), identity.labels().end()};
  }
};

TEST_F(IdentityChangesServiceTest, TheMaskSaysWhichLabelsChange) {
  Enroll("7", 1);
  FACEGATE_ASSERT_OK_AND_ASSIGN(v1::Identity identity,
                                Update({"labels"}, {{"a", "1"}, {"b", "2"}, {"c.d", "3"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "1"}, {"b", "2"}, {"c.d", "3"}}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      identity, Update({"labels.a", "labels.b"}, {{"a", "one"}, {"x", "not named"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "one"}, {"c.d", "3"}}))
      << "one is set, one removed, and what the mask does not name is not read";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels.c.d", "labels.never-there"}, {}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "one"}})) << "a key may hold dots";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels.e"}, {{"e", ""}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "one"}, {"e", ""}})) << "an empty value is one";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels.a", "labels"}, {{"z", "9"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"z", "9"}})) << "labels says it all";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels", "labels.z"}, {{"z", "9"}, {"y", "8"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"y", "8"}, {"z", "9"}}));
  EXPECT_EQ(Get("7").SerializeAsString().size(), identity.SerializeAsString().size());
  EXPECT_EQ(LabelsOf(Get("7")), LabelsOf(identity));
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels"}, {}));
  EXPECT_TRUE(LabelsOf(identity).empty());
}

TEST_F(IdentityChangesServiceTest, AnUpdateChangesNothingElse) {
  Enroll("7", 1);
  const v1::Identity before = Get("7");
  clock_.Advance(std::chrono::seconds(3));
  v1::UpdateIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.mutable_update_mask()->add_paths("labels");
  request.mutable_identity()->set_id("8");
  request.mutable_identity()->set_name("collections/x/identities/y");
  request.mutable_identity()->set_template_count(99);
  request.mutable_identity()->mutable_create_time()->set_seconds(1);
  v1::UpdateIdentityResponse response;
  ASSERT_THAT(galleries_->UpdateIdentity(call_, request, &response), IsOk());
  const v1::Identity& after = response.identity();
  EXPECT_EQ(after.id(), "7");
  EXPECT_EQ(after.name(), before.name());
  EXPECT_EQ(after.template_count(), 1u);
  EXPECT_EQ(after.create_time().seconds(), before.create_time().seconds());
  EXPECT_EQ(after.update_time().seconds(), before.update_time().seconds() + 3);
  EXPECT_NE(after.etag(), before.etag());
}

TEST_F(IdentityChangesServiceTest, AnEtagGuardsAgainstChangesInBetween) {
  Enroll("7", 1);
  const std::string old = Get("7").etag();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const v1::Identity changed, Update({"labels"}, {{"a", "1"}}, old));
  EXPECT_THAT(Update({"labels"}, {{"a", "2"}}, old), RefusedWith(Reason::kEtagMismatch));
  EXPECT_EQ(LabelsOf(Get("7")), (Given{{"a", "1"}}));
  EXPECT_THAT(Update({"labels"}, {{"a", "2"}}, changed.etag()), IsOk());
}

TEST_F(IdentityChangesServiceTest, ListsIdentitiesWithLabelsAndEtags) {
  Enroll("7", 1);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const v1::Identity identity, Update({"labels"}, {{"a", "1"}}));
  v1::ListIdentitiesRequest request;
  request.set_collection_id("people");
  v1::ListIdentitiesResponse response;
  ASSERT_THAT(galleries_->ListIdentities(call_, request, &response), IsOk());
  ASSERT_EQ(response.identities_size(), 1);
  EXPECT_EQ(response.identities(0).SerializeAsString(), identity.SerializeAsString());
}

TEST_F(IdentityChangesServiceTest, RenamesAnIdentity) {
  Enroll("7", 1);
  const v1::Identity before = Get("7");
  v1::RenameIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.set_new_identity_id("8");
  request.set_etag(before.etag());
  v1::RenameIdentityResponse response;
  ASSERT_THAT(galleries_->RenameIdentity(call_, request, &response), IsOk());
  EXPECT_EQ(response.identity().name(), "collections/people/identities/8");
  EXPECT_EQ(response.identity().id(), "8");
  EXPECT_EQ(response.identity().create_time().seconds(), before.create_time().seconds());
  EXPECT_EQ(response.identity().SerializeAsString(), Get("8").SerializeAsString());
  v1::VerifyRequest verify;
  verify.set_collection_id("people");
  verify.set_identity_id("8");
  *verify.mutable_probe() = Crop(1);
  v1::VerifyResponse verified;
  ASSERT_THAT(faces_->Verify(call_, verify, &verified), IsOk());
  EXPECT_EQ(verified.decision(), v1::DECISION_MATCH);
  EXPECT_EQ(verified.template_name().rfind("collections/people/identities/8/templates/", 0), 0u);
}

TEST_F(IdentityChangesServiceTest, MergesTwoIdentities) {
  Enroll("7", 1);
  Enroll("7", 2);
  Enroll("8", 3);
  ASSERT_THAT(Update({"labels"}, {{"a", "1"}}), IsOk());
  v1::MergeIdentitiesRequest request;
  request.set_collection_id("people");
  request.set_source_identity_id("7");
  request.set_target_identity_id("8");
  request.set_source_etag(Get("7").etag());
  request.set_target_etag(Get("8").etag());
  v1::MergeIdentitiesResponse response;
  ASSERT_THAT(galleries_->MergeIdentities(call_, request, &response), IsOk());
  EXPECT_EQ(response.moved_templates(), 2u);
  EXPECT_EQ(response.identity().id(), "8");
  EXPECT_EQ(response.identity().template_count(), 3u);
  EXPECT_EQ(LabelsOf(response.identity()), (Given{{"a", "1"}}));
  EXPECT_EQ(response.identity().SerializeAsString(), Get("8").SerializeAsString());
  v1::IdentifyRequest identify;
  identify.set_collection_id("people");
  *identify.mutable_probe() = Crop(1);
  v1::IdentifyResponse identified;
  ASSERT_THAT(faces_->Identify(call_, identify, &identified), IsOk());
  ASSERT_EQ(identified.results(0).candidates_size(), 1);
  EXPECT_EQ(identified.results(0).candidates(0).identity_id(), "8");
  EXPECT_EQ(identified.gallery_identities(), 1u);
}

TEST_F(IdentityChangesServiceTest, DeletesAnIdentityWithItsEtagAlone) {
  Enroll("7", 1);
  v1::DeleteIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.set_etag("0");
  v1::DeleteIdentityResponse response;
  EXPECT_THAT(galleries_->DeleteIdentity(call_, request, &response),
              RefusedWith(Reason::kEtagMismatch));
  request.set_etag(Get("7").etag());
  EXPECT_THAT(galleries_->DeleteIdentity(call_, request, &response), IsOk());
}

}  // namespace
}  // namespace facegate
