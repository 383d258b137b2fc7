#include "face/embed/canary.h"

#include <gmock/gmock.h>

#include <numeric>
#include <opencv2/core.hpp>
#include <string>

#include "face/base/sha256.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

std::string Pixels(const AlignedFace& face) {
  return {reinterpret_cast<const char*>(face.bgr.data), face.bgr.total() * face.bgr.elemSize()};
}

// Embeds a face as its mean colours, one of which can be turned off.
class MeanColourEmbedder : public Embedder {
 public:
  explicit MeanColourEmbedder(bool broken = false) : broken_(broken) {}
  const ModelCard& card() const override { return card_; }
  ModelCard& mutable_card() { return card_; }
  const Compute& compute() const override { return compute_; }
  int max_batch() const override { return 2; }
  StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) override {
    if (faces.size() > 2) return InvalidArgument("too many faces");
    std::vector<Embedding> embeddings;
    for (const AlignedFace& face : faces) {
      const cv::Scalar mean = cv::mean(face.bgr);
      const std::vector<float> values = {broken_ ? 0.0f : static_cast<float>(mean[0]),
                                         static_cast<float>(mean[1]), static_cast<float>(mean[2])};
      embeddings.push_back(Embedding::Normalize(values).value());
    }
    return embeddings;
  }

 private:
  const bool broken_;
  const Compute compute_{.device = "cpu", .threads = 1};
  ModelCard card_;
};

TEST(CanaryFacesTest, AreTheSameBitsEverywhere) {
  const auto faces = CanaryFaces(7, 3, AlignmentTemplate::kArcFace112);
  ASSERT_EQ(faces.size(), 3);
  EXPECT_EQ(Sha256Hex(Pixels(faces[0]) + Pixels(faces[2])),
            "c97c11730072d3016563645aa5c90c4ca0d840df923c137c2c0c4241ac79e2d5");
}

TEST(CanaryFacesTest, HaveTheCropsSizeAndDiffer) {
  const auto faces = CanaryFaces(7, 2, AlignmentTemplate::kSphereFace96x112);
  ASSERT_EQ(faces.size(), 2);
  for (const AlignedFace& face : faces) {
    EXPECT_EQ(face.bgr.size(), cv::Size(96, 112));
    EXPECT_EQ(face.bgr.type(), CV_8UC3);
  }
  EXPECT_NE(Pixels(faces[0]), Pixels(faces[1]));
  EXPECT_NE(Pixels(faces[0]), Pixels(CanaryFaces(8, 1, AlignmentTemplate::kSphereFace96x112)[0]));
}

TEST(CanaryTest, RecordedCanaryPassesAndABrokenEmbedderFails) {
  MeanColourEmbedder embedder;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Canary canary, RecordCanary(embedder, 3, 5));
  EXPECT_EQ(canary.seed, 3);
  ASSERT_EQ(canary.embeddings.size(), 5);
  embedder.mutable_card().canary = canary;
  EXPECT_THAT(CheckCanary(embedder), IsOk());

  MeanColourEmbedder broken(true);
  broken.mutable_card().canary = canary;
  const Status status = CheckCanary(broken);
  EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("worst cosine"));
}

// A machine may compute some pictures of a batch wrong, and others right.
TEST(CanaryTest, EachFaceCounts) {
  MeanColourEmbedder embedder;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Canary canary, RecordCanary(embedder, 3, 5));
  for (size_t wrong = 0; wrong < canary.embeddings.size(); ++wrong) {
    Canary other = canary;
    other.embeddings[wrong] = {1.0f, 0.0f, 0.0f};
    embedder.mutable_card().canary = other;
    EXPECT_THAT(CheckCanary(embedder), StatusIs(StatusCode::kFailedPrecondition)) << wrong;
  }
}

TEST(CanaryTest, CardWithoutCanaryPasses) {
  MeanColourEmbedder embedder;
  EXPECT_THAT(CheckCanary(embedder), IsOk());
}

TEST(CanaryTest, RefusesCanaryOfAnotherSizeOrLength) {
  MeanColourEmbedder embedder;
  for (const std::vector<float>& values :
       {std::vector<float>{1.0f, 0.0f}, std::vector<float>{3.0f, 0.0f, 0.0f}, {}}) {
    embedder.mutable_card().canary = Canary{.seed = 1, .embeddings = {values}};
    EXPECT_THAT(CheckCanary(embedder), StatusIs(StatusCode::kFailedPrecondition));
  }
  embedder.mutable_card().canary = Canary{.seed = 1, .embeddings = {}};
  EXPECT_THAT(CheckCanary(embedder), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(CanaryTest, RefusesToRecordNoneOrTooMany) {
  MeanColourEmbedder embedder;
  EXPECT_THAT(RecordCanary(embedder, 1, 0), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(RecordCanary(embedder, 1, 65), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
