#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/image/decode.h"
#include "face/network/architecture.h"
#include "face/weights/torch_pickle.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"

namespace facegate {
namespace {

// The published weights of bubbliiiing/arcface-pytorch on its own sample crops: the distances were
// measured with the original PyTorch code.
TEST(RealWeightsTest, SampleCropsHaveThePublishedDistances) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const std::string bytes,
      ReadFile((data / "weights" / "arcface_mobilefacenet.pth").string(), 1 << 26));
  ModelFile file;
  FACEGATE_ASSERT_OK_AND_ASSIGN(file.tensors, ParseTorchPickle(bytes));
  FACEGATE_ASSERT_OK_AND_ASSIGN(file.card.architecture, DetectArchitecture(file.tensors));
  ASSERT_EQ(file.card.architecture, "mobilefacenet-128");
  file.card.embedding_size = 128;
  file.card.preprocessing.alignment = AlignmentTemplate::kSphereFace96x112;
  file.card.preprocessing.letterbox = true;
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto embedder,
      MakeTorchEmbedder(file, {.threads = 1, .max_batch = 3, .device = "cpu"}));

  std::vector<AlignedFace> faces;
  for (const char* name : {"1_001.jpg", "1_002.jpg", "2_001.jpg"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string jpeg,
                                  ReadFile((data / "golden" / name).string(), 1 << 20));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image, DecodeImage(jpeg, {}));
    faces.push_back(AlignedFace{image.bgr});
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, embedder->Embed(faces));
  const auto distance = [&](size_t a, size_t b) {
    return DistanceOfCosine(CosineScore(embeddings[a].values(), embeddings[b].values()));
  };
  EXPECT_NEAR(distance(0, 1), 0.7038, 1e-3);
  EXPECT_NEAR(distance(0, 2), 1.3347, 1e-3);
  EXPECT_NEAR(distance(1, 2), 1.3845, 1e-3);
}

}  // namespace
}  // namespace facegate
