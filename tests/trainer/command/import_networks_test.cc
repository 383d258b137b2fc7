// Checkpoints of networks that no architecture of the table is, from the file to an embedding.
#include <gmock/gmock.h>

#include <memory>
#include <string>
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
using ::testing::HasSubstr;
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
