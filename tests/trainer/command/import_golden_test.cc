#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <utility>

#include "face/network/architecture.h"
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

}  // namespace
}  // namespace facegate
