#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

using EnrollTest = ServiceTest;

TEST_F(EnrollTest, TellsWhatItStored) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Photo(1);
  *request.add_samples() = Crop(2);
  *request.add_samples() = Vector(3);
  v1::EnrollResponse response;
  ASSERT_THAT(faces_->Enroll(call_, request, &response), IsOk());

  EXPECT_TRUE(response.created_identity());
  EXPECT_EQ(response.model_digest(), engine_.model().model_digest);
  EXPECT_EQ(response.identity().name(), "collections/people/identities/7");
  EXPECT_EQ(response.identity().template_count(), 3u);
  ASSERT_EQ(response.samples_size(), 3);
  const v1::Template& from_photo = response.samples(0).template_();
  EXPECT_EQ(from_photo.name(),
            "collections/people/identities/7/templates/" + std::to_string(from_photo.id()));
  EXPECT_EQ(from_photo.detector(), "fake");
  EXPECT_FLOAT_EQ(from_photo.detection_score(), 0.9f);
  EXPECT_EQ(from_photo.preprocessing_digest(), engine_.model().preprocessing_digest);
  EXPECT_EQ(response.samples(0).face().landmarks_size(), 5);
  EXPECT_EQ(response.samples(1).template_().detector(), "none");
  EXPECT_FALSE(response.samples(1).has_face());
  EXPECT_LT(from_photo.id(), response.samples(1).template_().id());
  // Two crops went through the model, together; the embedding did not.
  EXPECT_EQ(embedder_.batch_sizes(), std::vector<size_t>{2});
}

TEST_F(EnrollTest, edTemplatesAreThoseThatTheGalleryLists) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Photo(1);
  v1::EnrollResponse enrolled;
  ASSERT_THAT(faces_->Enroll(call_, request, &enrolled), IsOk());
  v1::ListTemplatesRequest list;
  list.set_collection_id("people");
  list.set_identity_id("7");
  v1::ListTemplatesResponse listed;
  ASSERT_THAT(galleries_->ListTemplates(call_, list, &listed), IsOk());
  ASSERT_EQ(listed.templates_size(), 1);
  EXPECT_EQ(listed.templates(0).SerializeAsString(),
            enrolled.samples(0).template_().SerializeAsString());
}

TEST_F(EnrollTest, StoresAllSamplesOrNone) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Crop(1);
  request.add_samples()->set_aligned_crop("broken");
  v1::EnrollResponse response;
  const Status status = faces_->Enroll(call_, request, &response);
  EXPECT_THAT(status, RefusedWith(Reason::kImageUndecodable));
  EXPECT_EQ(FieldOf(status), "samples[1].aligned_crop");
  EXPECT_THAT(gallery_->GetIdentity("people", "7"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(EnrollTest, OfAnIdentityThatMustBeNewFailsWhenItExists) {
  Enroll("7", 1);
  const size_t calls = embedder_.batch_sizes().size();
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.set_must_be_new(true);
  *request.add_samples() = Crop(2);
  v1::EnrollResponse response;
  EXPECT_THAT(faces_->Enroll(call_, request, &response), RefusedWith(Reason::kIdentityExists));
  EXPECT_EQ(embedder_.batch_sizes().size(), calls) << "nothing is computed in vain";
}

class EnrollOnceTest : public ServiceTest {
 protected:
  EnrollOnceTest() {
    request_.set_collection_id("people");
    request_.set_identity_id("7");
    request_.set_request_id("01234567-89ab-cdef-8081-f2f3f4f5f6f7");
    *request_.add_samples() = Photo(1);
    *request_.add_samples() = Crop(2);
  }
  Status Enroll(const v1::EnrollRequest& request) {
    response_.Clear();
    return faces_->Enroll(call_, request, &response_);
  }

  v1::EnrollRequest request_;
  v1::EnrollResponse response_;
};

TEST_F(EnrollOnceTest, ARetryGivesTheSameBytesAndAddsNothing) {
  ASSERT_THAT(Enroll(request_), IsOk());
  const std::string first = response_.SerializeAsString();
  const auto batches = embedder_.batch_sizes();
  clock_.Advance(std::chrono::seconds(10));
  ASSERT_THAT(Enroll(request_), IsOk());
  EXPECT_EQ(response_.SerializeAsString(), first);
  EXPECT_EQ(embedder_.batch_sizes(), batches) << "nothing is computed again";
  EXPECT_EQ(gallery_->Stats()->templates, 2u);
}

TEST_F(EnrollOnceTest, ARetryOfAnEnrolmentThatMustBeNewIsNoSecondOne) {
  request_.set_must_be_new(true);
  ASSERT_THAT(Enroll(request_), IsOk());
  const std::string first = response_.SerializeAsString();
  ASSERT_THAT(Enroll(request_), IsOk());
  EXPECT_EQ(response_.SerializeAsString(), first);
  EXPECT_TRUE(response_.created_identity());
  request_.set_request_id("11234567-89ab-cdef-8081-f2f3f4f5f6f7");
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kIdentityExists));
}

TEST_F(EnrollOnceTest, TheIdOfAnotherEnrolmentIsRefused) {
  ASSERT_THAT(Enroll(request_), IsOk());
  v1::EnrollRequest other = request_;
  *other.mutable_samples(1) = Crop(3);
  EXPECT_THAT(Enroll(other), RefusedWith(Reason::kRequestIdReused));
  other = request_;
  other.set_must_be_new(true);
  EXPECT_THAT(Enroll(other), RefusedWith(Reason::kRequestIdReused));
  other = request_;
  other.mutable_samples()->SwapElements(0, 1);
  EXPECT_THAT(Enroll(other), RefusedWith(Reason::kRequestIdReused));
  EXPECT_EQ(gallery_->Stats()->templates, 2u);
}

TEST_F(EnrollOnceTest, AnEnrolmentThatFailedMayBeTriedAgain) {
  embedder_.FailWith(Internal("broken"));
  EXPECT_THAT(Enroll(request_), StatusIs(StatusCode::kInternal));
  embedder_.FailWith(OkStatus());
  detector_.set_faces({});
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kNoFace));
  detector_.set_faces({FaceAt(0, 0)});
  EXPECT_THAT(Enroll(request_), IsOk());
  EXPECT_EQ(gallery_->Stats()->templates, 2u);
}

TEST_F(EnrollOnceTest, ARetryAfterTheDeletionEnrolsNobody) {
  ASSERT_THAT(Enroll(request_), IsOk());
  ASSERT_THAT(gallery_->DeleteIdentity("people", "7"), IsOk());
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(gallery_->GetIdentity("people", "7"), RefusedWith(Reason::kIdentityNotFound));
  ASSERT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kCollectionNotFound));
}

}  // namespace
}  // namespace facegate
