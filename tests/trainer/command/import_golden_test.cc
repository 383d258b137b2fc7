#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/embed/torch/torch_embedder.h"
#include "face/network/architecture.h"
#include "tests/support/python_script.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "trainer/command/compare.h"
#include "trainer/command/import.h"
#include "trainer/run/start_weights.h"

namespace facegate {
namespace {

// The L2 distances that the weights' own project gives for its sample crops.
struct GoldenPair {
  const char* a;
  const char* b;
  double distance;
};
constexpr GoldenPair kPairs[] = {{"1_001.jpg", "1_002.jpg", 0.7038},
                                 {"1_001.jpg", "2_001.jpg", 1.3347},
                                 {"1_002.jpg", "2_001.jpg", 1.3845}};

TEST(ImportGoldenTest, ReproducesTheDistancesOfTheOriginalCode) {
  FACEGATE_DATA_OR_SKIP(data);
  const TempDir dir;
  const std::string model = dir.File("model.safetensors");
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const ImportReport report,
      ImportModel({.source = (data / "weights" / "arcface_mobilefacenet.pth").string(),
                   .out = model,
                   .architecture = std::nullopt,
                   .card = {.preset = "bubbliiiing"}}));
  EXPECT_EQ(report.card.architecture, "mobilefacenet-128");
  EXPECT_EQ(report.parameters, 1'003'136);
  EXPECT_EQ(report.tensors, 333U);
  for (const GoldenPair& pair : kPairs) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const CompareReport compared,
                                  ComparePhotos({.model = model,
                                                 .photos = {(data / "golden" / pair.a).string(),
                                                            (data / "golden" / pair.b).string()},
                                                 .detector = std::nullopt,
                                                 .yunet = std::nullopt}));
    EXPECT_NEAR(compared.distance, pair.distance, 0.001) << pair.a << " " << pair.b;
    EXPECT_EQ(compared.found_by[0], "aligned crop");
  }
}

// fit --init takes all of the network out of a file of torch.save.
TEST(ImportGoldenTest, GivesATrainingTheTensorsOfAPth) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      StartWeights weights,
      ReadStartWeights((data / "weights" / "arcface_mobilefacenet.pth").string(),
                       "mobilefacenet-128"));
  TensorMap network;
  constexpr std::string_view kPrefix = "backbone.";
  for (auto& [name, tensor] : weights.tensors) {
    ASSERT_TRUE(name.starts_with(kPrefix)) << name;
    network.emplace(name.substr(kPrefix.size()), std::move(tensor));
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string architecture, DetectArchitecture(network));
  EXPECT_EQ(architecture, "mobilefacenet-128");
  EXPECT_THAT(weights.description, ::testing::StartsWith("arcface_mobilefacenet.pth (sha256 "));
}

std::vector<AlignedFace> FacesOf(const std::vector<uint8_t>& pixels) {
  constexpr size_t kFaceBytes = size_t{112} * 112 * 3;
  std::vector<AlignedFace> faces;
  for (size_t begin = 0; begin + kFaceBytes <= pixels.size(); begin += kFaceBytes) {
    cv::Mat bgr(112, 112, CV_8UC3);
    std::copy_n(pixels.begin() + static_cast<ptrdiff_t>(begin), kFaceBytes, bgr.data);
    faces.push_back({.bgr = bgr});
  }
  return faces;
}

TEST(ImportGoldenTest, TakesNetworksThatPyTorchScriptedAndTraced) {
  const TempDir dir;
  const auto [code, text] = RunPython(FACEGATE_WRITE_TORCHSCRIPT, {dir.path().string()});
  if (code == kPythonSkipped) {
    GTEST_SKIP() << "SKIPPED: needs PyTorch; name a Python that has it in FACEGATE_PYTHON";
  }
  ASSERT_EQ(code, 0) << text;
  const nlohmann::json json = nlohmann::json::parse(text);
  const std::vector<AlignedFace> faces = FacesOf(json["pixels"]);
  for (const std::string kind : {"ir", "mobile", "normed"}) {
    for (const std::string way : {"script", "trace"}) {
      const ImportOptions options{.source = dir.File(kind + "-" + way + ".pt"),
                                  .out = dir.File(kind + "-" + way + ".safetensors"),
                                  .card = {.alignment = "arcface-112x112"},
                                  .torchscript = true};
      ASSERT_THAT(ImportModel(options), IsOk()) << options.source;
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embedder, LoadTorchEmbedder(options.out, {}));
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, embedder->Embed(faces));
      ASSERT_EQ(json[kind].size(), embeddings.size());
      for (size_t i = 0; i < embeddings.size(); ++i) {
        const std::vector<double> expected = json[kind][i];
        const auto& given = embeddings[i].values();
        ASSERT_EQ(given.size(), expected.size());
        for (size_t k = 0; k < expected.size(); ++k) ASSERT_NEAR(given[k], expected[k], 1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace facegate
