#include <gmock/gmock.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <cctype>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/retry.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

constexpr int kCalls = 50;
constexpr char kCollection[] = "staff";
constexpr char kId[] = "6f1d7e0a-93a1-4c53-8a3e-0d8f5b1c2e47";
constexpr char kOtherId[] = "6F1D7E0A-93A1-4C53-8A3E-0D8F5B1C2E48";

template <typename Request, typename Response>
using Method = ClientResult<Response> (FacegateClient::*)(const Request&);

// Returns the bytes of a message, whatever the order in which its map was filled: the wire promises
// none.
std::string BytesOf(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream out(&sink);
    out.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&out);
  }
  return bytes;
}

// "OK " and the bytes of the answer, or the error.
template <typename Response>
std::string OutcomeOf(const ClientResult<Response>& answer) {
  return answer.ok() ? "OK " + BytesOf(*answer) : Describe(answer.error());
}

class IdempotencyTest : public RunningServerTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(RunningServerTest::SetUp());
    ASSERT_NO_FATAL_FAILURE(StartServer());
    ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
    Enroll("anna", 2);
    Enroll("berta", 3);
  }

  // Enrols so many templates.
  void Enroll(const std::string& identity, uint32_t count) {
    std::vector<std::string> crops;
    for (uint32_t seed = 0; seed < count; ++seed) crops.push_back(Crop(seed));
    const auto enrolled = client_->Enroll(EnrollCrops(kCollection, identity, crops));
    ASSERT_TRUE(enrolled.ok()) << enrolled.error();
  }

  static std::string Crop(uint32_t seed) { return Encode(SyntheticCrop(seed), ".png"); }

  template <typename Request>
  static Request About(const std::string& identity) {
    Request request;
    request.set_collection_id(kCollection);
    request.set_identity_id(identity);
    return request;
  }

  v1::Identity Identity(const std::string& id) {
    const auto answer = client_->GetIdentity(About<v1::GetIdentityRequest>(id));
    EXPECT_TRUE(answer.ok()) << answer.error();
    return answer.ok() ? answer->identity() : v1::Identity();
  }

  // All collections, identities with labels and etags, and templates of the server, as text.
  std::string Everything() {
    std::string text;
    const auto collections = client_->ListCollections({});
    EXPECT_TRUE(collections.ok()) << collections.error();
    if (!collections.ok()) return {};
    for (const v1::Collection& collection : collections->collections()) {
      v1::ListIdentitiesRequest list;
      list.set_collection_id(collection.id());
      list.set_page_size(1000);
      const auto identities = client_->ListIdentities(list);
      EXPECT_TRUE(identities.ok() && identities->next_page_token().empty());
      if (!identities.ok()) return {};
      text += collection.DebugString();
      for (const v1::Identity& identity : identities->identities()) {
        auto about = About<v1::ListTemplatesRequest>(identity.id());
        about.set_collection_id(collection.id());
        about.set_page_size(1000);
        const auto templates = client_->ListTemplates(about);
        EXPECT_TRUE(templates.ok() && templates->next_page_token().empty());
        if (!templates.ok()) return {};
        text += identity.DebugString() + templates->DebugString();
      }
    }
    return text;
  }

  void RestartAfter(bool kill) {
    if (kill) {
      server_->Kill();
    } else {
      ASSERT_THAT(server_->Stop(), IsOk());
    }
    ASSERT_NO_FATAL_FAILURE(StartServer());
  }

  // The one answer of kCalls equal calls at the same time.
  template <typename Request, typename Response>
  std::string CallInParallel(Method<Request, Response> method, const Request& request) {
    std::vector<std::string> outcomes(kCalls);
    std::latch start(kCalls);
    {
      std::vector<std::jthread> threads;
      for (std::string& outcome : outcomes) {
        threads.emplace_back([&] {
          start.arrive_and_wait();
          // A call that comes while another one is at work comes again, as clients do.
          outcome = OutcomeOf(CallWithRetry([&] { return (client_.get()->*method)(request); }));
        });
      }
    }
    for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, outcomes[0]);
    return outcomes[0];
  }

  // Makes the change of `request` in kCalls calls at the same time, again after kill -9, and again
  // after a clean restart: always the same answer, and nothing changes after the first time.
  // Another body with the same id is refused, and changes nothing. Returns the answer.
  template <typename Request, typename Response>
  Response ExpectMadeOnce(Method<Request, Response> method, Request request, Request other) {
    request.set_request_id(kId);
    other.set_request_id(kId);
    const std::string before = Everything();
    const std::string answer = CallInParallel(method, request);
    const std::string after = Everything();
    EXPECT_NE(after, before);
    for (const bool kill : {true, false}) {
      RestartAfter(kill);
      EXPECT_EQ(CallInParallel(method, request), answer) << (kill ? "after kill -9" : "after stop");
      EXPECT_EQ(Everything(), after);
    }
    const auto refused = (client_.get()->*method)(other);
    EXPECT_FALSE(refused.ok());
    if (!refused.ok()) {
      EXPECT_EQ(refused.error().reason, "REQUEST_ID_REUSED");
    }
    EXPECT_EQ(Everything(), after);
    Response response;
    EXPECT_TRUE(answer.starts_with("OK ") && response.ParseFromString(answer.substr(3))) << answer;
    return response;
  }
};

TEST_F(IdempotencyTest, CreatesACollectionOnce) {
  v1::CreateCollectionRequest request;
  request.set_collection_id("guests");
  request.set_min_cosine(0.5F);
  v1::CreateCollectionRequest other = request;
  other.set_min_cosine(0.25F);
  const auto answer = ExpectMadeOnce(&FacegateClient::CreateCollection, request, other);
  EXPECT_EQ(answer.collection().id(), "guests");
  EXPECT_EQ(client_->ListCollections({})->collections_size(), 2);
}

TEST_F(IdempotencyTest, EnrolsACropOnce) {
  const auto request = EnrollCrops(kCollection, "carla", {Crop(7), Crop(8)});
  const auto answer = ExpectMadeOnce(&FacegateClient::Enroll, request,
                                     EnrollCrops(kCollection, "carla", {Crop(7), Crop(9)}));
  EXPECT_TRUE(answer.created_identity());
  EXPECT_EQ(answer.samples_size(), 2);
  EXPECT_EQ(Identity("carla").template_count(), 2U);
  EXPECT_EQ(Identity("carla").etag(), answer.identity().etag());
}

TEST_F(IdempotencyTest, AddsAnEmbeddingToAnIdentityOnce) {
  v1::EmbedRequest embed;
  *embed.mutable_probe() = CropProbe(Crop(7));
  const auto embedded = client_->Embed(embed);
  ASSERT_TRUE(embedded.ok()) << embedded.error();
  auto request = About<v1::EnrollRequest>("anna");
  *request.add_samples()->mutable_embedding() = embedded->embedding();
  v1::EnrollRequest other = request;
  other.set_must_be_new(true);
  const auto answer = ExpectMadeOnce(&FacegateClient::Enroll, request, other);
  EXPECT_FALSE(answer.created_identity());
  EXPECT_EQ(Identity("anna").template_count(), 3U);
  EXPECT_EQ(Identity("anna").etag(), answer.identity().etag());
}

TEST_F(IdempotencyTest, UpdatesLabelsOnce) {
  auto request = About<v1::UpdateIdentityRequest>("anna");
  request.mutable_update_mask()->add_paths("labels");
  for (const char* key : {"room", "team", "badge", "floor"}) {
    (*request.mutable_identity()->mutable_labels())[key] = "of anna";
  }
  // A change that is made twice would fail the second time.
  request.mutable_identity()->set_etag(Identity("anna").etag());
  v1::UpdateIdentityRequest other = request;
  (*other.mutable_identity()->mutable_labels())["room"] = "another";
  const auto answer = ExpectMadeOnce(&FacegateClient::UpdateIdentity, request, other);
  EXPECT_EQ(answer.identity().labels_size(), 4);
  EXPECT_EQ(BytesOf(Identity("anna")), BytesOf(answer.identity()));
}

TEST_F(IdempotencyTest, RenamesAnIdentityOnce) {
  auto request = About<v1::RenameIdentityRequest>("anna");
  request.set_new_identity_id("anne");
  v1::RenameIdentityRequest other = request;
  other.set_new_identity_id("ann");
  const auto answer = ExpectMadeOnce(&FacegateClient::RenameIdentity, request, other);
  EXPECT_EQ(BytesOf(Identity("anne")), BytesOf(answer.identity()));
  EXPECT_EQ(client_->GetIdentity(About<v1::GetIdentityRequest>("anna")).error().reason,
            "IDENTITY_NOT_FOUND");
}

TEST_F(IdempotencyTest, MergesIdentitiesOnce) {
  v1::MergeIdentitiesRequest request;
  request.set_collection_id(kCollection);
  request.set_source_identity_id("anna");
  request.set_target_identity_id("berta");
  v1::MergeIdentitiesRequest other = request;
  other.set_source_identity_id("berta");
  other.set_target_identity_id("anna");
  const auto answer = ExpectMadeOnce(&FacegateClient::MergeIdentities, request, other);
  EXPECT_EQ(answer.moved_templates(), 2U);
  EXPECT_EQ(answer.identity().template_count(), 5U);
  EXPECT_EQ(BytesOf(Identity("berta")), BytesOf(answer.identity()));
}

TEST_F(IdempotencyTest, DeletesATemplateOnce) {
  const auto list = client_->ListTemplates(About<v1::ListTemplatesRequest>("berta"));
  ASSERT_TRUE(list.ok()) << list.error();
  ASSERT_EQ(list->templates_size(), 3);
  auto request = About<v1::DeleteTemplateRequest>("berta");
  request.set_template_id(list->templates(1).id());
  v1::DeleteTemplateRequest other = request;
  other.set_template_id(list->templates(2).id());
  ExpectMadeOnce(&FacegateClient::DeleteTemplate, request, other);
  EXPECT_EQ(Identity("berta").template_count(), 2U);
}

TEST_F(IdempotencyTest, DeletesAnIdentityOnceAndNotTheOneThatCameAfter) {
  auto request = About<v1::DeleteIdentityRequest>("berta");
  const auto answer = ExpectMadeOnce(&FacegateClient::DeleteIdentity, request,
                                     About<v1::DeleteIdentityRequest>("anna"));
  EXPECT_EQ(answer.deleted_templates(), 3U);
  Enroll("berta", 1);
  request.set_request_id(kId);
  const auto again = client_->DeleteIdentity(request);
  ASSERT_TRUE(again.ok()) << again.error();
  EXPECT_EQ(again->deleted_templates(), 3U);
  EXPECT_EQ(Identity("berta").template_count(), 1U);
}

TEST_F(IdempotencyTest, DeletesACollectionOnceAndNotTheOneThatCameAfter) {
  v1::DeleteCollectionRequest request;
  request.set_collection_id(kCollection);
  request.set_force(true);
  v1::DeleteCollectionRequest other = request;
  other.set_force(false);
  ExpectMadeOnce(&FacegateClient::DeleteCollection, request, other);
  EXPECT_EQ(Everything(), "");
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
  request.set_request_id(kId);
  EXPECT_TRUE(client_->DeleteCollection(request).ok());
  EXPECT_EQ(client_->ListCollections({})->collections_size(), 1);
}

TEST_F(IdempotencyTest, RefusesTheIdOfAnotherMethodInAnyCase) {
  auto label = About<v1::UpdateIdentityRequest>("anna");
  label.mutable_update_mask()->add_paths("labels");
  label.set_request_id(kOtherId);
  ASSERT_TRUE(client_->UpdateIdentity(label).ok());
  auto erase = About<v1::DeleteIdentityRequest>("anna");
  erase.set_request_id(kOtherId);
  EXPECT_EQ(client_->DeleteIdentity(erase).error().reason, "REQUEST_ID_REUSED");
  std::string lower = kOtherId;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  erase.set_request_id(lower);
  EXPECT_EQ(client_->DeleteIdentity(erase).error().reason, "REQUEST_ID_REUSED");
  erase.clear_request_id();
  EXPECT_TRUE(client_->DeleteIdentity(erase).ok());
}

}  // namespace
}  // namespace facegate
