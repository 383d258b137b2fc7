#include "trainer/command/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "face/network/description_json.h"
#include "face/network/random_weights.h"
#include "face/weights/model_file.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Expected {
  const char* architecture;
  int64_t parameters;
  int64_t multiply_adds;
};

class NetworkSummaryTest : public ::testing::TestWithParam<Expected> {};

TEST_P(NetworkSummaryTest, CountsParametersAndMultiplyAdds) {
  const Expected& want = GetParam();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const NetworkSummary network,
                                SummarizeNetwork(DescribeArchitecture(want.architecture).value()));
  EXPECT_EQ(network.parameters, want.parameters);
  EXPECT_EQ(network.multiply_adds, want.multiply_adds);
  // Each layer is counted once, however they are grouped.
  constexpr int kDeepest = 6;
  std::vector<std::vector<LayerSummary>> views = {SingleLayers(network)};
  views.reserve(kDeepest + 1);
  for (int depth = 1; depth <= kDeepest; ++depth) views.push_back(LayersAtDepth(network, depth));
  for (const std::vector<LayerSummary>& view : views) {
    int64_t parameters = 0;
    int64_t multiply_adds = 0;
    for (const LayerSummary& layer : view) {
      parameters += layer.parameters;
      multiply_adds += layer.multiply_adds;
    }
    EXPECT_EQ(parameters, want.parameters);
    EXPECT_EQ(multiply_adds, want.multiply_adds);
  }
}

// Multiply-adds were added up independently from the shapes in the papers' tables.
INSTANTIATE_TEST_SUITE_P(Architectures, NetworkSummaryTest,
                         ::testing::Values(Expected{"mobilefacenet-128", 1'003'136, 220'965'376},
                                           Expected{"mobilefacenet-512", 2'059'520, 437'520'896},
                                           Expected{"iresnet-18", 24'025'600, 2'609'954'816},
                                           Expected{"iresnet-50", 43'590'848, 6'309'330'944},
                                           Expected{"irse-50", 43'797'696, 6'296'708'608},
                                           Expected{"ghostfacenet-v1-s1", 4'059'748, 211'909'644},
                                           Expected{"ghostfacenet-v1-s2", 4'037'836, 59'316'222},
                                           Expected{"vit-t", 19'137'792, 1'504'882'688}),
                         [](const auto& expected) {
                           std::string name = expected.param.architecture;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(SummaryTest, DescribesLayersAsTheyAre) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SummaryReport report,
                                Summarize({.model = "mobilefacenet-128", .all_layers = true}));
  ASSERT_FALSE(report.rows.empty());
  const LayerSummary& first = report.rows.front();
  EXPECT_EQ(first.name, "conv1.conv");
  EXPECT_EQ(first.type, "conv 3x3");
  EXPECT_THAT(first.output, ElementsAre(64, 56, 56));
  EXPECT_EQ(first.parameters, 3 * 3 * 3 * 64);
  EXPECT_EQ(first.multiply_adds, 3 * 3 * 3 * 64 * 56 * 56);
  const auto depthwise =
      std::find_if(report.rows.begin(), report.rows.end(),
                   [](const LayerSummary& layer) { return layer.name == "conv2_dw.conv"; });
  ASSERT_NE(depthwise, report.rows.end());
  EXPECT_EQ(depthwise->type, "depthwise conv 3x3");
  EXPECT_EQ(depthwise->multiply_adds, 3 * 3 * 64 * 56 * 56);
  EXPECT_THAT(report.rows.back().output, ElementsAre(128));
}

TEST(SummaryTest, GroupsLayersByTheirNames) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SummaryReport report,
                                Summarize({.model = "iresnet-18", .depth = 1}));
  std::vector<std::string> names;
  names.reserve(report.rows.size());
  for (const LayerSummary& row : report.rows) names.push_back(row.name);
  EXPECT_THAT(names, ElementsAre("conv1", "bn1", "prelu", "layer1", "layer2", "layer3", "layer4",
                                 "bn2", "flatten", "dropout", "fc", "features"));
  EXPECT_THAT(report.rows[6].output, ElementsAre(512, 7, 7));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SummaryReport units,
                                Summarize({.model = "iresnet-18", .depth = 2}));
  EXPECT_EQ(units.rows.size(), 8U + 8U);
  EXPECT_EQ(units.rows[3].type, "residual");
}

TEST(SummaryTest, SaysWhatIsWrongWithASize) {
  EXPECT_THAT(std::string(MessageOf(Summarize({.model = "iresnet-18@224"}).status())),
              ::testing::HasSubstr("is not WIDTHxHEIGHT"));
}

TEST(SummaryTest, CountsLessForASmallerInputAndRefusesOneThatDoesNotFit) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const NetworkSummary whole,
      SummarizeNetwork(DescribeArchitecture("mobilefacenet-128").value()));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const NetworkSummary smaller,
      SummarizeNetwork(DescribeArchitecture("mobilefacenet-128").value(), network::Sides{98, 98}));
  EXPECT_LT(smaller.multiply_adds, whole.multiply_adds);
  EXPECT_EQ(smaller.parameters, whole.parameters);
  for (const char* architecture : {"mobilefacenet-128", "mobilefacenet-512", "iresnet-18"}) {
    for (const int64_t side : {16, 64, 128, 0, 5000}) {
      EXPECT_THAT(
          SummarizeNetwork(DescribeArchitecture(architecture).value(), network::Sides{side, side}),
          StatusIs(StatusCode::kInvalidArgument))
          << architecture << " " << side;
    }
  }
}

class SummaryCommandTest : public ::testing::Test {
 protected:
  TrainExitCode Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "summary");
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  TempDir dir_;

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(SummaryCommandTest, PrintsLayersTotalsAndTheCard) {
  const std::string model = dir_.File("m.safetensors");
  ASSERT_THAT(WriteRandomModel(model, {.default_min_cosine = 0.25F}), IsOk());
  ASSERT_EQ(Run({model}), TrainExitCode::kOk) << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile file, ReadModelFile(model));
  EXPECT_THAT(out(),
              AllOf(HasSubstr("mobilefacenet-128, input 3 x 112 x 112"), HasSubstr("conv_23"),
                    HasSubstr("1003136"), HasSubstr(file.card.model_digest),
                    HasSubstr(file.card.preprocessing_digest), HasSubstr("random weights"),
                    HasSubstr("0.25 (not calibrated)"), HasSubstr("none recorded")));
}

TEST_F(SummaryCommandTest, AnArchitectureAtItsOwnSizeIsCalledByItsName) {
  ASSERT_EQ(Run({"mobilefacenet-128@112x112"}), TrainExitCode::kOk) << err();
  EXPECT_THAT(out(), HasSubstr("mobilefacenet-128, input"));
  ASSERT_EQ(Run({"mobilefacenet-128@64x48"}), TrainExitCode::kOk) << err();
  EXPECT_THAT(out(), HasSubstr("mobilefacenet-128@64x48, input"));
}

TEST_F(SummaryCommandTest, GivesJson) {
  ASSERT_EQ(Run({"iresnet-18", "--json", "--layers"}), TrainExitCode::kOk) << err();
  auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json["parameters"], 24'025'600);
  EXPECT_EQ(json["embedding_size"], 512);
  EXPECT_TRUE(json["file"].is_null());
  EXPECT_GT(json["layers"].size(), 60U);
  const std::string model = dir_.File("m.safetensors");
  ASSERT_THAT(WriteRandomModel(model), IsOk());
  ASSERT_EQ(Run({model, "--json"}), TrainExitCode::kOk) << err();
  json = nlohmann::json::parse(out());
  EXPECT_EQ(json["file"]["card"]["architecture"], "mobilefacenet-128");
  EXPECT_GT(json["file"]["bytes"].get<int64_t>(), 4 * 1'003'136);
}

TEST_F(SummaryCommandTest, TakesNetworksThatACardDescribes) {
  ModelFile file;
  PutNetwork(SmallGraph(), file.card);
  file.tensors = RandomWeights(SmallGraph(), 1);
  file.card.embedding_size = 5;
  file.card.training_data = file.card.licence = file.card.origin = "none";
  const std::string path = dir_.File("described.safetensors");
  ASSERT_THAT(WriteModelFile(path, file), IsOk());
  ASSERT_EQ(Run({path}), TrainExitCode::kOk) << err();
  EXPECT_THAT(out(), AllOf(HasSubstr("input 2 x 6 x 8"), HasSubstr("small graph")));
  file.tensors.erase("graph.fc.bias");
  ASSERT_THAT(WriteModelFile(path, file), IsOk());
  EXPECT_EQ(Run({path}), TrainExitCode::kFailed);
}

TEST_F(SummaryCommandTest, RefusesWhatIsNoModel) {
  EXPECT_EQ(Run({dir_.File("absent")}), TrainExitCode::kUsage);
  EXPECT_THAT(err(), AllOf(HasSubstr("neither a file nor"), HasSubstr("iresnet-100")));
  EXPECT_EQ(Run({"iresnet-18", "--input", "0"}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"iresnet-18", "--input", "128"}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("made for 112 x 112"));
  // A card whose architecture is another one than the tensors'.
  const std::string path = dir_.File("wrong.safetensors");
  ModelFile file;
  FACEGATE_ASSERT_OK_AND_ASSIGN(file.tensors, RandomWeights("mobilefacenet-128", 1));
  file.card.architecture = "mobilefacenet-512";
  file.card.embedding_size = 512;
  file.card.training_data = "none";
  file.card.licence = "none";
  file.card.origin = "none";
  ASSERT_THAT(WriteModelFile(path, file), IsOk());
  EXPECT_EQ(Run({path}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), AllOf(HasSubstr("mobilefacenet-512"), HasSubstr("mobilefacenet-128")));
}

}  // namespace
}  // namespace facegate
