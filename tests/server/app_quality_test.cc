// The gate over a port: what a client of any language gets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/app_fixture.h"
#include "tests/support/fake_quality_meter.h"

namespace facegate {
namespace {

class AppQualityTest : public AppTest {
 protected:
  void ServeWithMeter() {
    Parts parts = FakeParts();
    parts.load_quality_meter = [](const Config&) -> StatusOr<std::unique_ptr<QualityMeter>> {
      return std::make_unique<FakeQualityMeter>();
    };
    ASSERT_NO_FATAL_FAILURE(Open(std::move(parts)));
    ASSERT_THAT(app_->Load([] { return false; }), IsOk());
    grpc::ClientContext context;
    v1::CreateCollectionRequest request;
    request.set_collection_id("staff");
    v1::CreateCollectionResponse response;
    ASSERT_TRUE(gallery_->CreateCollection(&context, request, &response).ok());
  }
  grpc::Status EnrolCrop(const cv::Mat& crop) {
    grpc::ClientContext context;
    v1::EnrollRequest request;
    request.set_collection_id("staff");
    request.set_identity_id("7");
    request.add_samples()->set_aligned_crop(EncodePng(crop));
    v1::EnrollResponse response;
    return face_->Enroll(&context, request, &response);
  }
  v1::VerifyResponse VerifyCrop(const cv::Mat& crop) {
    grpc::ClientContext context;
    v1::VerifyRequest request;
    request.set_collection_id("staff");
    request.set_identity_id("7");
    request.mutable_probe()->set_aligned_crop(EncodePng(crop));
    v1::VerifyResponse response;
    const grpc::Status status = face_->Verify(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(AppQualityTest, ARefusedEnrolmentSaysWhyInWordsAndNumbers) {
  ServeWithMeter();
  const grpc::Status refused = EnrolCrop(DarkPattern(1));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), ::testing::HasSubstr("more light on the face"));
  const auto info = Detail<google::rpc::ErrorInfo>(refused);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason(), "LOW_QUALITY");
  EXPECT_THAT(info->metadata().at("under_exposure"),
              ::testing::MatchesRegex("[0-9]+\\.[0-9]+/[0-9]+\\.[0-9]+"));
  const auto where = Detail<google::rpc::BadRequest>(refused);
  ASSERT_TRUE(where.has_value());
  EXPECT_EQ(where->field_violations(0).field(), "samples[0].aligned_crop");
}

TEST_F(AppQualityTest, AnUnfitFaceIsInconclusive) {
  ServeWithMeter();
  ASSERT_TRUE(EnrolCrop(PatternImage(1)).ok());
  EXPECT_EQ(VerifyCrop(PatternImage(1)).decision(), v1::DECISION_MATCH);
  EXPECT_EQ(VerifyCrop(DarkPattern(1)).decision(), v1::DECISION_INCONCLUSIVE);
}

TEST_F(AppQualityTest, TheConfigurationSaysWhatTheServerWants) {
  config_.enrol_quality = 0.1;
  config_.probe_quality = 0.0;
  ServeWithMeter();
  EXPECT_TRUE(EnrolCrop(DarkPattern(1)).ok());
  EXPECT_EQ(VerifyCrop(DarkPattern(1)).decision(), v1::DECISION_MATCH);
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(admin_->GetServerInfo(&context, {}, &info).ok());
  EXPECT_FLOAT_EQ(info.enrol_quality(), 0.1f);
  EXPECT_EQ(info.probe_quality(), 0.0f);
}

}  // namespace
}  // namespace facegate
