// Checkpoints of networks that no architecture of the table is, from the file to an embedding.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/network/architecture.h"
#include "face/network/iresnet.h"
#include "face/network/irse.h"
#include "face/network/mobilefacenet.h"
#include "face/network/random_weights.h"
#include "face/network/resnet.h"
#include "face/network/resnet_face.h"
#include "face/onnx/network_graph.h"
#include "face/onnx/onnx_file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "tests/support/torch_file.h"
#include "trainer/command/import.h"

namespace facegate {
namespace {

using network::Description;
using network::IResNet;
using network::ResNetFace;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ImportNetworksTest : public ::testing::Test {
 protected:
  StatusOr<ImportReport> Import(const Description& network, ImportOptions options = {}) {
    options.source = dir_.File("weights.pth");
    options.out = dir_.File("model.safetensors");
    options.force = true;
    if (!options.card.preset && !options.card.alignment) {
      options.card.alignment = "arcface-112x112";
    }
    const std::string bytes = TorchCheckpoint(RandomWeights(network, 7), "module.");
    EXPECT_THAT(WriteFileAtomically(options.source, bytes), IsOk());
    return ImportModel(options);
  }

  // The same of the network's graph, which `change` may change.
  StatusOr<ImportReport> ImportGraph(
      const Description& network, const NetworkGraphOptions& graph, ImportOptions options = {},
      const std::function<void(OnnxModel&)>& change = [](OnnxModel&) {}) {
    options.source = dir_.File("graph.onnx");
    options.out = dir_.File("model.safetensors");
    options.force = true;
    if (!options.card.alignment) options.card.alignment = "arcface-112x112";
    FACEGATE_ASSIGN_OR_RETURN(OnnxModel model,
                              MakeNetworkGraph(network, RandomWeights(network, 7), graph));
    change(model);
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, SerializeOnnx(std::move(model)));
    FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(options.source, bytes));
    return ImportModel(options);
  }

  // Imports it, and embeds a crop with the written model.
  void ExpectEmbeds(const Description& network, const ImportOptions& options = {}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport report, Import(network, options));
    EXPECT_EQ(report.card.preprocessing.input_width, network.input.width);
    EXPECT_EQ(report.card.preprocessing.input_height, network.input.height);
    EXPECT_EQ(report.card.preprocessing.channels(), network.input.channels);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embedder,
                                  LoadTorchEmbedder(dir_.File("model.safetensors"), {}));
    const std::vector<AlignedFace> faces(1, AlignedFace{.bgr = SyntheticCrop(1)});
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, embedder->Embed(faces));
    EXPECT_EQ(embeddings.front().values().size(), static_cast<size_t>(network.outputs));
  }

  const TempDir dir_;
};

network::ResNetFaceShape SmallGrey() {
  return {.input = {.channels = 1, .height = 128, .width = 128},
          .stem = 8,
          .units = {1, 1, 1, 1},
          .widths = {8, 16, 16, 16},
          .reduction = 4,
          .outputs = 32};
}

TEST_F(ImportNetworksTest, EmbedsWithVariantsOfEachFamily) {
  ExpectEmbeds(ResNetFace(SmallGrey(), 0.0));
  network::ResNetShape plain = network::GreyResNet(18);
  plain.stem = 8;
  plain.widths = {8, 8, 16, 16};
  ExpectEmbeds(ResNet(plain, 0.0));
  ExpectEmbeds(IResNet({.units = {1, 1, 1, 1}, .widths = {8, 16, 24, 32}, .outputs = 64}, 0.0));
  network::IrShape ir;
  ir.stages = {{1, 64}, {1, 16}, {1, 24}, {1, 32}};
  ir.unit = network::IrUnit::kNormed;
  ir.affine_output = false;
  ExpectEmbeds(Ir(ir, 0.0), {.card = {.preset = "adaface"}});
  network::MobileFaceNetShape mobile;
  mobile.outputs = 64;
  ExpectEmbeds(MobileFaceNet(mobile));
}

TEST_F(ImportNetworksTest, DescribesTheNetworkInTheCard) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport report, Import(ResNetFace(SmallGrey(), 0.0)));
  EXPECT_THAT(report.card.architecture, StartsWith("described-"));
  EXPECT_EQ(report.network, "resnet-face of 1, 1, 1, 1 units");
  EXPECT_EQ(report.card.preprocessing.colour_order, ColourOrder::kGrey);
  EXPECT_TRUE(report.card.preprocessing.letterbox);
  EXPECT_THAT(report.remarks, ::testing::ElementsAre(HasSubstr("128x128")));
}

Description SmallIResNet() {
  return IResNet({.units = {1, 1, 1, 1}, .widths = {8, 16, 24, 32}, .outputs = 64}, 0.0);
}

TEST_F(ImportNetworksTest, TakesAGraphByTheNamesOfItsTensorsWhereItComputesTheirNetwork) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport same, ImportGraph(SmallIResNet(), {}));
  EXPECT_EQ(same.network, "iresnet of 1, 1, 1, 1 units");
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const ImportReport other, ImportGraph(SmallIResNet(), {}, {}, [](OnnxModel& model) {
        model.nodes.back().outputs = {"raw"};
        model.nodes.push_back({.op = "Sigmoid", .inputs = {"raw"}, .outputs = {"embedding"}});
      }));
  EXPECT_EQ(other.network, "network of an ONNX graph");
  EXPECT_EQ(ImportGraph(SmallIResNet(), {}, {.architecture = "iresnet-18"}).status().code(),
            StatusCode::kInvalidArgument);
}

// The last layer multiplies by twice the weights that have its name.
TEST_F(ImportNetworksTest, TakesAGraphAsItIsWhereItComputesWithOtherNumbers) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport report,
                                ImportGraph(SmallIResNet(), {}, {}, [](OnnxModel& model) {
                                  for (OnnxNode& node : model.nodes) {
                                    if (node.op == "Gemm") node.attributes["alpha"] = 2.0F;
                                  }
                                }));
  EXPECT_EQ(report.network, "network of an ONNX graph");
}

// The same layers with the same numbers; two of them follow each other the other way round.
TEST_F(ImportNetworksTest, TakesAGraphAsItIsWhereItsLayersAreWiredOtherwise) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const ImportReport report, ImportGraph(SmallIResNet(), {}, {}, [](OnnxModel& model) {
        const auto slopes = std::find_if(model.nodes.begin(), model.nodes.end(),
                                         [](const OnnxNode& node) { return node.op == "PRelu"; });
        OnnxNode& norm = *(slopes - 1);
        ASSERT_EQ(norm.op, "BatchNormalization");
        std::swap(norm.inputs[0], slopes->inputs[0]);
        std::swap(norm.outputs, slopes->outputs);
        std::swap(norm, *slopes);
      }));
  EXPECT_EQ(report.network, "network of an ONNX graph");
}

// What the graph computes is known by nobody but the one who imports it.
TEST_F(ImportNetworksTest, AsksForTheArchitectureOfAGraphThatItCannotFollow) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Description known, DescribeArchitecture("mobilefacenet-128"));
  const auto with_exp = [](OnnxModel& model) {
    model.nodes.back().outputs = {"raw"};
    model.nodes.push_back({.op = "Exp", .inputs = {"raw"}, .outputs = {"embedding"}});
  };
  EXPECT_THAT(std::string(MessageOf(ImportGraph(known, {}, {}, with_exp).status())),
              AllOf(HasSubstr("operator Exp"), HasSubstr("--architecture")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const ImportReport report,
      ImportGraph(known, {}, {.architecture = "mobilefacenet-128"}, with_exp));
  EXPECT_THAT(report.remarks, Contains(HasSubstr("is said to be mobilefacenet-128")));
}

// These have batch norms without factors, and layers that are called twice.
TEST_F(ImportNetworksTest, TakesItsOwnGraphsByTheNamesOfTheirTensors) {
  network::IrShape plain;
  plain.stages = {{1, 64}, {1, 16}, {1, 24}, {1, 32}};
  plain.unit = network::IrUnit::kNormed;
  plain.affine_output = false;
  for (const Description& network : {Ir(plain, 0.0), ResNetFace(SmallGrey(), 0.0)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport report, ImportGraph(network, {}));
    EXPECT_THAT(report.network, Not(HasSubstr("ONNX graph")));
  }
}

TEST_F(ImportNetworksTest, LeavesAGraphThePixelsThatItPrepares) {
  using Three = std::array<float, 3>;
  const auto prepared = [this](float mean, float scale, ColourOrder order) {
    const NetworkGraphOptions graph{.preprocessing = {.colour_order = order,
                                                      .mean = {mean, mean, mean},
                                                      .scale = {scale, scale, scale}},
                                    .pixels = OnnxPixels::kFloat};
    return ImportGraph(SmallIResNet(), graph).value();
  };
  const ImportReport whole = prepared(127.5F, 1 / 127.5F, ColourOrder::kBgr);
  EXPECT_THAT(whole.remarks, Contains(HasSubstr("of pixels 0 to 255")));
  EXPECT_EQ(whole.card.preprocessing.mean, (Three{0, 0, 0}));
  EXPECT_EQ(whole.card.preprocessing.scale, (Three{1, 1, 1}));
  const ImportReport unit = prepared(0.5F, 2.0F, ColourOrder::kRgb);
  EXPECT_THAT(unit.remarks, Contains(HasSubstr("of pixels 0 to 1")));
  EXPECT_EQ(unit.card.preprocessing.mean, (Three{0, 0, 0}));
  EXPECT_EQ(unit.card.preprocessing.scale, (Three{1 / 255.0F, 1 / 255.0F, 1 / 255.0F}));
}

TEST_F(ImportNetworksTest, AsksForTheInputThatAGraphLeavesOpen) {
  const Description any{.name = "any",
                        .input = network::kCropInput,
                        .outputs = 4,
                        .layers = {{"first", network::Convolution{{.in = 3, .out = 4}}},
                                   {"mean", network::GlobalAverage{}},
                                   {"list", network::Flatten{}}},
                        .more = {}};
  const auto open = [](OnnxModel& model) {
    model.inputs.front().shape = {"N", int64_t{3}, "H", "W"};
  };
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport usual, ImportGraph(any, {}, {}, open));
  EXPECT_THAT(usual.remarks, Contains(AllOf(HasSubstr("112x112"), HasSubstr("--input"))));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const ImportReport narrow,
      ImportGraph(any, {}, {.input = "96x112", .card = {.alignment = "sphereface-96x112"}}, open));
  EXPECT_EQ(narrow.card.preprocessing.input_width, 96);
  EXPECT_THAT(narrow.remarks, Not(Contains(HasSubstr("--input"))));
  EXPECT_EQ(FieldOf(ImportGraph(any, {}, {.input = "96x112"}).status()), "--input");
}

TEST_F(ImportNetworksTest, NamesANetworkOfTheTable) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Description known, DescribeArchitecture("resnet-18-plane-2"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport report, Import(known));
  EXPECT_EQ(report.card.architecture, "resnet-18-plane-2");
  EXPECT_EQ(report.card.embedding_size, 2);
}

TEST_F(ImportNetworksTest, RefusesCropsThatDoNotFitTheInput) {
  network::MobileFaceNetShape narrow;
  narrow.outputs = 64;
  narrow.input = {.channels = 3, .height = 112, .width = 96};
  narrow.last_kernel = {.height = 7, .width = 6};
  const Description network = MobileFaceNet(narrow);
  const Status status = Import(network).status();
  EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(status), "--alignment");
  EXPECT_THAT(std::string(MessageOf(status)), AllOf(HasSubstr("112x112"), HasSubstr("96x112")));
  EXPECT_THAT(Import(network, {.card = {.alignment = "sphereface-96x112"}}), IsOk());
  EXPECT_THAT(Import(network, {.card = {.letterbox = true}}), IsOk());
}

TEST_F(ImportNetworksTest, RefusesColoursThatTheNetworkDoesNotTake) {
  const Status status = Import(ResNetFace(SmallGrey(), 0.0), {.card = {.color = "bgr"}}).status();
  EXPECT_EQ(FieldOf(status), "--color");
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("bgr has 3 channels, the network takes 1"));
}

TEST_F(ImportNetworksTest, RefusesWhatIsNoSizeOrActivation) {
  const Description network = ResNetFace(SmallGrey(), 0.0);
  EXPECT_EQ(FieldOf(Import(network, {.input = "112"}).status()), "--input");
  EXPECT_EQ(FieldOf(Import(network, {.input = "0x112"}).status()), "--input");
  EXPECT_EQ(FieldOf(Import(network, {.activation = "elu"}).status()), "--activation");
  const Status other = Import(network, {.input = "64x64"}).status();
  EXPECT_THAT(other, StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
