#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/file.h"
#include "face/embed/canary.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/network/description_json.h"
#include "face/network/iresnet.h"
#include "face/network/random_weights.h"
#include "face/onnx/onnx_file.h"
#include "face/weights/model_file.h"
#include "face/weights/torch_pickle.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/torch_file.h"
#include "trainer/command/export.h"
#include "trainer/command/import.h"
#include "trainer/command/train_cli.h"
#include "trainer/photos/npy_file.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExportCommandTest : public ::testing::Test {
 protected:
  TrainExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }
  std::string File(const std::string& name) const { return dir_.File(name); }
  std::string Content(const std::string& name) const {
    return ReadFile(File(name), kMaxWeightFileBytes).value_or("");
  }

  std::string Model() {
    std::string path = File("model.safetensors");
    EXPECT_THAT(WriteRandomModel(path), IsOk());
    return path;
  }
  // A checkpoint of fit as trainer/FORMAT.md has it, of a few numbers.
  std::string Checkpoint() {
    const auto floats = [](std::vector<int64_t> shape, std::initializer_list<float> values) {
      return Tensor{.dtype = DType::kF32, .shape = std::move(shape), .bytes = FloatBytes(values)};
    };
    Safetensors file;
    file.metadata["kind"] = "facegate-checkpoint-1";
    file.tensors["backbone.fc.weight"] = floats({2}, {1, 2});
    file.tensors["head.weight"] = floats({2, 3}, {1, 2, 3, 4, 5, 6});
    file.tensors["optimizer.head.weight.momentum"] = floats({1, 1, 1}, {7});
    file.tensors["optimizer.fc.weight.momentum"] = floats({2}, {8, 9});
    std::string path = File("batch-000000001.safetensors");
    EXPECT_THAT(WriteFileAtomically(path, SerializeSafetensors(file)), IsOk());
    return path;
  }

 private:
  TempDir dir_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ExportCommandTest, WritesFilesThatImportReadsBackToTheBit) {
  const std::string model = Model();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile original, ReadModelFile(model));
  for (const char* name : {"a.onnx", "a.pth", "a.pt", "b.safetensors"}) {
    ASSERT_EQ(Run({"export", "--no-card", model, File(name)}), TrainExitCode::kOk) << err();
    const std::string back = File(std::string(name) + ".safetensors");
    ASSERT_EQ(Run({"import", "--preset", "insightface", File(name), back}), TrainExitCode::kOk)
        << err();
    FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile read, ReadModelFile(back));
    EXPECT_EQ(read.card.model_digest, original.card.model_digest) << name;
    EXPECT_TRUE(read.tensors == original.tensors) << name;
  }
}

TEST_F(ExportCommandTest, WritesTheGraphOfANetworkThatACardDescribes) {
  const network::Description network =
      network::IResNet({.units = {1, 1, 1, 1}, .widths = {8, 16, 24, 32}, .outputs = 64}, 0.0);
  ModelFile file;
  PutNetwork(network, file.card);
  file.tensors = RandomWeights(network, 1);
  file.card.embedding_size = 64;
  file.card.training_data = file.card.licence = file.card.origin = "none";
  file.card.preprocessing.mirror_average = true;
  const std::string model = File("described.safetensors");
  ASSERT_THAT(WriteModelFile(model, file), IsOk());
  ASSERT_EQ(Run({"export", model, File("a.onnx")}), TrainExitCode::kOk) << err();
  EXPECT_THAT(out(), HasSubstr("add the embedding of the mirrored crop before normalising"));
  ASSERT_EQ(Run({"import", File("a.onnx"), File("back.safetensors")}), TrainExitCode::kOk) << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile read, ReadModelFile(File("back.safetensors")));
  EXPECT_EQ(read.card.network, file.card.network);
  EXPECT_TRUE(read.tensors == file.tensors);
}

TEST_F(ExportCommandTest, LetsAnOnnxCarryTheCard) {
  const std::string model = Model();
  ASSERT_EQ(Run({"export", "--preprocess", "uint8", "--normalise", model, File("a.onnx")}),
            TrainExitCode::kOk)
      << err();
  ASSERT_EQ(Run({"import", File("a.onnx"), File("back.safetensors")}), TrainExitCode::kOk) << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile original, ReadModelFile(model));
  FACEGATE_ASSERT_OK_AND_ASSIGN(ModelFile read, ReadModelFile(File("back.safetensors")));
  read.card.canary.reset();  // import records one
  EXPECT_EQ(ModelCardToJson(read.card), ModelCardToJson(original.card));
}

TEST_F(ExportCommandTest, WritesTheSameBytesAgain) {
  const std::string model = Model();
  for (const char* ending : {".onnx", ".pth", ".safetensors"}) {
    for (const char* name : {"first", "second"}) {
      ASSERT_EQ(Run({"export", model, File(std::string(name) + ending)}), TrainExitCode::kOk)
          << err();
    }
    EXPECT_TRUE(Content(std::string("first") + ending) == Content(std::string("second") + ending))
        << ending;
  }
}

TEST_F(ExportCommandTest, LeavesTheCardOutOfAPlainStateDict) {
  ASSERT_EQ(Run({"export", "--no-card", Model(), File("plain.safetensors")}), TrainExitCode::kOk)
      << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Safetensors file,
                                ParseSafetensors(Content("plain.safetensors")));
  EXPECT_TRUE(file.metadata.empty());
}

TEST_F(ExportCommandTest, TakesPartsOutOfACheckpoint) {
  const std::string checkpoint = Checkpoint();
  ASSERT_EQ(Run({"export", "--part", "optimizer", checkpoint, File("o.pth")}), TrainExitCode::kOk)
      << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap optimizer, ParseTorchPickle(Content("o.pth")));
  ASSERT_EQ(optimizer.size(), 2U);
  EXPECT_EQ(optimizer.at("fc.weight.momentum").bytes, FloatBytes({8, 9}));
  ASSERT_EQ(Run({"export", "--part", "head", checkpoint, File("h.npy")}), TrainExitCode::kOk)
      << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const NpyArray head, ParseNpy(Content("h.npy")));
  EXPECT_THAT(head.shape, ElementsAre(2, 3));
  EXPECT_THAT(head.values, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(ExportCommandTest, SaysWhatIsWrongWithACommandLine) {
  const std::string model = Model();
  const std::string checkpoint = Checkpoint();
  const std::vector<std::pair<std::vector<std::string>, std::string>> lines = {
      {{model, File("a.bin")}, "ends in none of .pth, .pt, .safetensors, .onnx and .npy"},
      {{"--normalise", model, File("a.pth")}, "--normalise: is for .onnx alone"},
      {{"--keep-half", model, File("a.pth")}, "--keep-half: is for .onnx alone"},
      {{"--preprocess", "float", model, File("a.pth")}, "--preprocess: is for .onnx alone"},
      {{"--tensor", "x", model, File("a.pth")}, "--tensor: is for .npy alone"},
      {{"--part", "head", model, File("a.pth")}, "--part: is of a checkpoint of fit"},
      {{checkpoint, File("a.pth")}, "backbone, average, head, margin, optimizer"},
      {{"--part", "backbone", checkpoint, File("a.onnx")}, "is made of a model file"},
      {{model, File("a.npy")}, "--tensor: a .npy holds one tensor, and there are 333"},
      {{"--tensor", "x", model, File("a.npy")}, "--tensor: there is no tensor \"x\""}};
  for (const auto& [arguments, words] : lines) {
    std::vector<std::string> all = {"export"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    EXPECT_EQ(Run(all), TrainExitCode::kUsage) << words;
    EXPECT_THAT(err(), HasSubstr(words));
    EXPECT_FALSE(std::filesystem::exists(all.back()));
  }
}

TEST_F(ExportCommandTest, RefusesAPartThatIsNotThereAndNamesThoseThatAre) {
  EXPECT_EQ(Run({"export", "--part", "average", Checkpoint(), File("a.pth")}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("has no part average, it has backbone, head, optimizer"));
}

TEST_F(ExportCommandTest, RefusesWhatANpyCannotHold) {
  EXPECT_EQ(Run({"export", "--part", "optimizer", "--tensor", "head.weight.momentum", Checkpoint(),
                 File("a.npy")}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("F32 [1, 1, 1]: a .pth or .safetensors takes it"));
}

TEST_F(ExportCommandTest, ReplacesAFileOnlyWhenForced) {
  const std::string model = Model();
  ASSERT_THAT(WriteFileAtomically(File("a.pth"), "old"), IsOk());
  EXPECT_EQ(Run({"export", model, File("a.pth")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("exists; --force replaces it"));
  EXPECT_EQ(Content("a.pth"), "old");
  EXPECT_EQ(Run({"export", "--force", model, File("a.pth")}), TrainExitCode::kOk) << err();
}

TEST_F(ExportCommandTest, SaysThatOtherWeightsAreImportedFirst) {
  ASSERT_THAT(WriteFileAtomically(File("w.pth"), "PK\x03\x04"), IsOk());
  EXPECT_EQ(Run({"export", File("w.pth"), File("a.onnx")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("facegate-train import makes a model file of weights"));
}

// The embeddings of the generated crops that a model file's canary has.
std::vector<Embedding> EmbeddingsOf(const std::string& model) {
  const auto embedder = LoadTorchEmbedder(model, {.threads = 1, .run_canary = false});
  EXPECT_THAT(embedder, IsOk());
  const auto faces = CanaryFaces(1, 3, (*embedder)->card().preprocessing.alignment);
  return (*embedder)->Embed(faces).value_or(std::vector<Embedding>());
}

// A graph whose names were lost, as most exporters leave it.
TEST_F(ExportCommandTest, ImportTakesAGraphWithoutNames) {
  const std::string model = Model();
  for (const char* pixels : {"", "float", "uint8"}) {
    std::vector<std::string> arguments = {"export", "--force", "--no-card", model, File("a.onnx")};
    if (*pixels != '\0') arguments.insert(arguments.end(), {"--preprocess", pixels});
    ASSERT_EQ(Run(arguments), TrainExitCode::kOk) << err();
    FACEGATE_ASSERT_OK_AND_ASSIGN(OnnxModel graph, ParseOnnx(Content("a.onnx"), ""));
    TensorMap renamed;
    std::map<std::string, std::string> names;
    for (auto& [name, tensor] : graph.initializers) {
      names[name] = std::to_string(renamed.size());
      renamed[names[name]] = std::move(tensor);
    }
    graph.initializers = std::move(renamed);
    graph.metadata.clear();
    for (OnnxNode& node : graph.nodes) {
      for (std::string& input : node.inputs) {
        if (names.contains(input)) input = names[input];
      }
    }
    ASSERT_THAT(WriteFileAtomically(File("a.onnx"), SerializeOnnx(graph).value()), IsOk());
    ASSERT_EQ(Run({"import", "--force", "--preset", "insightface", File("a.onnx"),
                   File("back.safetensors")}),
              TrainExitCode::kOk)
        << err();
    const std::vector<Embedding> expected = EmbeddingsOf(model);
    const std::vector<Embedding> actual = EmbeddingsOf(File("back.safetensors"));
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_GE(CosineScore(actual[i].values(), expected[i].values()), 0.99999F) << pixels;
    }
  }
}

TEST_F(ExportCommandTest, ImportNamesTheOperatorOfAGraphThatItDoesNotKnow) {
  OnnxModel model{.opsets = {{"", 13}}};
  model.initializers["685"] = {
      .dtype = DType::kF32, .shape = {1, 3, 1, 1}, .bytes = FloatBytes({1, 1, 1})};
  model.nodes = {{.op = "Conv", .inputs = {"data", "685"}, .outputs = {"a"}},
                 {.op = "HardSwish", .inputs = {"a"}, .outputs = {"b"}}};
  model.inputs = {{.name = "data",
                   .dtype = DType::kF32,
                   .shape = std::vector<OnnxExtent>{"N", int64_t{3}, int64_t{8}, int64_t{8}}}};
  model.outputs = {{.name = "b"}};
  ASSERT_THAT(WriteFileAtomically(File("a.onnx"), SerializeOnnx(model).value()), IsOk());
  EXPECT_EQ(Run({"import", "--preset", "insightface", File("a.onnx"), File("b.safetensors")}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err(), AllOf(HasSubstr(File("a.onnx")), HasSubstr("operator HardSwish")));
}

}  // namespace
}  // namespace facegate
