// No face below the gate is enrolled or compared, on whatever way it comes: the real server with
// the real measures.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "clients/cli/facegate_cli.h"
#include "tests/integration/real_server_test.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/test_data.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A server that takes crops and embeddings alone, with the gate as it ships. Its crops are
// patterns: there is no face in them.
class CropGateTest : public RunningServerTest {
 protected:
  void SetUp() override {
    RunningServerTest::SetUp();
    options_.flags = {"--detector=none", "--max_batch=1", "--model_threads=1"};
    StartServer();
    ASSERT_NE(server_, nullptr);
    CreateCollection("people");
  }
  static std::string NoFace(uint32_t seed) { return Encode(SyntheticCrop(seed), ".png"); }
  uint64_t TemplateCount() {
    v1::GetCollectionRequest request;
    request.set_collection_id("people");
    const auto answer = client_->GetCollection(request);
    EXPECT_TRUE(answer.ok()) << answer.error();
    return answer.ok() ? answer->collection().template_count() : 0;
  }
};

TEST_F(CropGateTest, EnrolsNoCropWithoutAFace) {
  const auto refused = client_->Enroll(EnrollCrops("people", "a", {NoFace(1)}));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "LOW_QUALITY");
  EXPECT_EQ(refused.error().field, "samples[0].aligned_crop");
  EXPECT_FALSE(refused.error().metadata.empty());
  EXPECT_EQ(TemplateCount(), 0u);
}

TEST_F(CropGateTest, EnrolsNoCropWithoutAFaceFromAFolder) {
  const fs::path person = dir_.path() / "folder/1017";
  fs::create_directories(person);
  std::ofstream(person / "a.png", std::ios::binary) << NoFace(1);
  std::ostringstream out;
  std::ostringstream err;
  const int code = cli::RunCli({"enroll", "-c", "people", "--crop", "--dir", dir_.File("folder"),
                                "--server", server_->target()},
                               out, err, {});
  EXPECT_EQ(code, 3);
  EXPECT_THAT(out.str(), HasSubstr("LOW_QUALITY"));
  EXPECT_EQ(TemplateCount(), 0u);
}

TEST_F(CropGateTest, EnrolsEmbeddingsAsTheCallersWord) {
  v1::EmbedRequest embed;
  *embed.mutable_probe() = CropProbe(NoFace(1));
  const auto embedded = client_->Embed(embed);
  ASSERT_TRUE(embedded.ok()) << embedded.error();
  EXPECT_GT(embedded->face().quality().shortcomings_size(), 0) << "it says how bad it is";
  v1::EnrollRequest enroll;
  enroll.set_collection_id("people");
  enroll.set_identity_id("a");
  *enroll.add_samples()->mutable_embedding() = embedded->embedding();
  const auto enrolled = client_->Enroll(enroll);
  ASSERT_TRUE(enrolled.ok()) << enrolled.error();
  v1::ListTemplatesRequest list;
  list.set_collection_id("people");
  list.set_identity_id("a");
  const auto listed = client_->ListTemplates(list);
  ASSERT_TRUE(listed.ok()) << listed.error();
  EXPECT_EQ(listed->templates(0).source(), v1::TEMPLATE_SOURCE_EMBEDDING);
  EXPECT_FALSE(listed->templates(0).has_quality());
}

TEST_F(CropGateTest, ComparesNoCropWithoutAFace) {
  v1::CompareRequest request;
  *request.mutable_first() = CropProbe(NoFace(1));
  *request.mutable_second() = CropProbe(NoFace(1));
  request.mutable_operating_point()->set_min_cosine(-1.0F);
  const auto answer = client_->Compare(request);
  ASSERT_TRUE(answer.ok()) << answer.error();
  EXPECT_EQ(answer->decision(), v1::DECISION_INCONCLUSIVE);
  EXPECT_EQ(answer->cosine(), 0.0F);
}

TEST_F(CropGateTest, ACollectionThatWantsNothingTakesEveryCropAlsoAfterARestart) {
  v1::UpdateCollectionRequest update;
  update.set_collection_id("people");
  update.mutable_update_mask()->add_paths("enrol_quality");
  update.mutable_collection()->set_enrol_quality(0.0F);
  ASSERT_TRUE(client_->UpdateCollection(update).ok());
  ASSERT_THAT(server_->Stop(), IsOk());
  StartServer();
  const auto enrolled = client_->Enroll(EnrollCrops("people", "a", {NoFace(1)}));
  ASSERT_TRUE(enrolled.ok()) << enrolled.error();
  const v1::Template& stored = enrolled->samples(0).template_();
  EXPECT_EQ(stored.source(), v1::TEMPLATE_SOURCE_ALIGNED_CROP);
  EXPECT_LT(stored.quality(), 0.4F);
}

TEST_F(CropGateTest, TellsWhatItWants) {
  const auto info = client_->GetServerInfo();
  ASSERT_TRUE(info.ok()) << info.error();
  EXPECT_FLOAT_EQ(info->enrol_quality(), 0.5F);
  EXPECT_FLOAT_EQ(info->probe_quality(), 0.4F);
}

// YuNet looks at photos of LFW: as they are, shrunk to faces of few pixels and enlarged again, and
// nearly black.
class PhotoGateTest : public RealServerTest {
 protected:
  void StartWithPeople(const fs::path& data) {
    ASSERT_NO_FATAL_FAILURE(StartServer(data));
    v1::CreateCollectionRequest create;
    create.set_collection_id("people");
    create.set_min_cosine(0.4F);
    ASSERT_TRUE(client_->CreateCollection(create).ok());
  }
  // Reads photos of the first people by name.
  static std::vector<cv::Mat> Photos(const fs::path& data, size_t count) {
    std::vector<fs::path> files;
    for (const auto& person : fs::directory_iterator(data / "lfw/photos")) {
      files.push_back(fs::directory_iterator(person.path())->path());
    }
    std::sort(files.begin(), files.end());
    std::vector<cv::Mat> photos;
    for (size_t i = 0; i < count; ++i) photos.push_back(cv::imread(files[i].string()));
    return photos;
  }
  static cv::Mat Tiny(const cv::Mat& photo) {
    cv::Mat small;
    cv::resize(photo, small, {16, 16}, 0, 0, cv::INTER_AREA);
    cv::Mat enlarged;
    cv::resize(small, enlarged, photo.size(), 0, 0, cv::INTER_CUBIC);
    return enlarged;
  }
  static v1::Probe ProbeOf(const cv::Mat& photo) {
    v1::Probe probe;
    probe.set_image(Encode(photo, ".png"));
    probe.set_face_selection(v1::FACE_SELECTION_CENTRAL);
    return probe;
  }
  ClientResult<v1::EnrollResponse> EnrolPhoto(const std::string& identity, const cv::Mat& photo) {
    v1::EnrollRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    *request.add_samples() = ProbeOf(photo);
    return client_->Enroll(request);
  }
};

TEST_F(PhotoGateTest, EnrolsGoodPhotosAndNoTinyOnes) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(StartWithPeople(data));
  int refused = 0;
  for (const cv::Mat& photo : Photos(data, 8)) {
    const auto good = EnrolPhoto("good", photo);
    EXPECT_TRUE(good.ok()) << good.error();
    const auto tiny = EnrolPhoto("tiny", Tiny(photo));
    ASSERT_FALSE(tiny.ok());
    // A face of so few pixels may be one that is not found at all.
    EXPECT_THAT(tiny.error().reason, ::testing::AnyOf("LOW_QUALITY", "NO_FACE"));
    refused += tiny.error().reason == "LOW_QUALITY" ? 1 : 0;
  }
  EXPECT_GE(refused, 1) << "the gate was not asked";
}

TEST_F(PhotoGateTest, ADarkFaceMatchesNobody) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(StartWithPeople(data));
  const std::vector<cv::Mat> photos = Photos(data, 8);
  ASSERT_TRUE(EnrolPhoto("0", photos[0]).ok());
  int inconclusive = 0;
  for (const cv::Mat& photo : photos) {
    v1::IdentifyRequest request;
    request.set_collection_id("people");
    request.mutable_operating_point()->set_min_cosine(-1.0F);
    *request.mutable_probe() = ProbeOf(photo * 0.05);
    const auto answer = client_->Identify(request);
    if (!answer.ok()) continue;  // nothing is found in some
    EXPECT_EQ(answer->results(0).decision(), v1::DECISION_INCONCLUSIVE);
    EXPECT_EQ(answer->results(0).candidates_size(), 0);
    EXPECT_GT(answer->results(0).face().quality().shortcomings_size(), 0);
    ++inconclusive;
  }
  EXPECT_GE(inconclusive, 1) << "the gate was not asked";
}

}  // namespace
}  // namespace facegate
