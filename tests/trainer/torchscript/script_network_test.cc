// Files of torch.jit.save, followed and refused.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/network/random_weights.h"
#include "face/onnx/graph_reader.h"
#include "tests/support/script_file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/torch_file.h"
#include "trainer/command/import.h"
#include "trainer/torchscript/script_archive.h"
#include "trainer/torchscript/script_reader.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;

constexpr network::Sides kScriptSides = {16, 16};
// From the picture to 8·8·8 numbers.
constexpr char kTrunk[] =
    "y = torch.conv2d(x, self.conv.weight, None, [2, 2], [1, 1], [1, 1], 1)\n"
    "y = torch.batch_norm(y, self.norm.weight, self.norm.bias, self.norm.running_mean,\n"
    "                     self.norm.running_var, self.training, 0.1, 1e-05, False)\n"
    "y = torch.prelu(y, self.slopes.weight)\n";
constexpr char kLast[] =
    "y = torch.flatten(y, 1)\n"
    "return torch.addmm(self.fc.bias, y, torch.t(self.fc.weight))\n";

std::string Between(const std::string& lines) { return kTrunk + lines + kLast; }

StatusOr<ScriptNetwork> ReadScript(const std::string& body) {
  FACEGATE_ASSIGN_OR_RETURN(ScriptReader* const reader, OpenScriptReader());
  return reader->Read(ScriptFile(body), kScriptSides);
}

// Follows the module, and compares what was made of it with the module.
Status Followed(const std::string& body) {
  FACEGATE_ASSIGN_OR_RETURN(ScriptReader* const reader, OpenScriptReader());
  FACEGATE_ASSIGN_OR_RETURN(ScriptNetwork script, ReadScript(body));
  FACEGATE_ASSIGN_OR_RETURN(const GraphNetwork graph, DescribeGraph(std::move(script.model)));
  return reader->Compare(graph.description, graph.tensors, script.probe);
}

TEST(ScriptNetworkTest, FollowsTheOperatorsOfNetworks) {
  for (const char* const lines :
       {"", "y = torch.relu_(y)\n", "y = torch.hardtanh(y, 0.0, 6.0)\n",
        "y = torch.clamp(y, -1.0, None)\n", "y = torch.leaky_relu(y, 0.2)\n",
        "y = torch.sigmoid(y) * y\n", "z = torch.relu(y)\ny = torch.add_(y, z)\n",
        "y = (1.0 - y) / 2.0 + y * 3\n",
        "y = torch.max_pool2d(torch.cat([y, torch.relu(y)], 1), [2, 1], [2, 1])\n",
        "y = torch.pad(torch.max_pool2d(y, [2, 2], [1, 1]), [0, 1, 1, 0])\n",
        "y = torch.avg_pool2d(y, [3, 3], [1, 1], [1, 1])\n",
        "y = torch.avg_pool2d(y, [3, 3], [1, 1], [1, 1], False, False)\n",
        "y = torch.prelu(y, self.slopes.weight)\n", "y = torch.relu_(torch.flatten(y, 1))\n",
        "y = torch.contiguous(torch.permute(torch.permute(y, [0, 2, 3, 1]), [0, 3, 1, 2]))\n",
        "y = torch.dropout(y, 0.5, self.training)\n",
        "y = torch.dropout_(y, 0.5, self.training)\n"}) {
    EXPECT_THAT(Followed(Between(lines)), IsOk()) << lines;
  }
}

TEST(ScriptNetworkTest, FollowsAGateOfChannels) {
  EXPECT_THAT(Followed(Between("gate = torch.adaptive_avg_pool2d(y, [1, 1])\n"
                               "gate = torch.conv2d(gate, self.squeeze.weight, "
                               "self.squeeze.bias)\n"
                               "gate = torch.conv2d(torch.relu(gate), self.expand.weight, "
                               "self.expand.bias)\n"
                               "y = y * torch.sigmoid(gate)\n")),
              IsOk());
}

TEST(ScriptNetworkTest, FollowsMeansOfParts) {
  const std::string trunk = kTrunk;
  EXPECT_THAT(Followed(trunk + "return torch.flatten(torch.adaptive_avg_pool2d(y, [4, 2]), 1)\n"),
              IsOk());
  EXPECT_THAT(MessageOf(Followed(
                  trunk + "return torch.flatten(torch.adaptive_avg_pool2d(y, [3, 3]), 1)\n")),
              HasSubstr("has windows that overlap"));
  EXPECT_THAT(MessageOf(Followed(
                  trunk + "return torch.flatten(torch.adaptive_avg_pool2d(y, [0, 0]), 1)\n")),
              HasSubstr("gives a value without numbers"));
}

// Slopes have extents of 1 behind them where they meet a map.
TEST(ScriptNetworkTest, FollowsSlopesOfAMapAndOfAList) {
  EXPECT_THAT(
      Followed(std::string(kTrunk) + "y = torch.flatten(torch.adaptive_avg_pool2d(y, [1, 1]), 1)\n"
                                     "return torch.prelu(y, self.slopes.weight)\n"),
      IsOk());
}

TEST(ScriptNetworkTest, TellsExchangedRowsFromOthers) {
  const std::string means = "y = torch.flatten(torch.adaptive_avg_pool2d(y, [1, 1]), 1)\n";
  EXPECT_THAT(Followed(kTrunk + means +
                       "return torch.mm(y, torch.transpose(torch.flatten(self.expand.weight, 1), "
                       "0, 0))\n"),
              IsOk());
  EXPECT_THAT(Followed(kTrunk + means +
                       "return torch.mm(y, torch.transpose(torch.flatten(self.squeeze.weight, 1), "
                       "0, -1))\n"),
              IsOk());
}

// "v" has other numbers once "y" was changed.
TEST(ScriptNetworkTest, RefusesAViewOfWhatWasChanged) {
  EXPECT_THAT(MessageOf(Followed(std::string(kTrunk) +
                                 "v = torch.flatten(y, 1)\n"
                                 "y = torch.relu_(y)\n"
                                 "return torch.linear(v, self.fc.weight, self.fc.bias)\n")),
              HasSubstr("changed through another view"));
  EXPECT_THAT(
      MessageOf(Followed(Between("means = torch.flatten(torch.adaptive_avg_pool2d(y, [1, 1]))\n"
                                 "z = torch.add_(self.norm.bias, means)\n"))),
      HasSubstr("changes a constant"));
}

// The picture has one channel; that it does not take three is not what is said.
TEST(ScriptNetworkTest, NamesAnOperatorOfAGreyModule) {
  const std::string first = "y = torch.conv2d(x, self.conv.weight[:, 0:1])\n";
  EXPECT_THAT(Followed(first + "return torch.flatten(y, 1)\n"), IsOk());
  EXPECT_THAT(MessageOf(Followed(first + "return torch.flatten(torch.cumsum(y, 1), 1)\n")),
              HasSubstr("operator aten::cumsum"));
}

TEST(ScriptNetworkTest, RefusesListsThatGrow) {
  EXPECT_THAT(MessageOf(Followed(Between("a = [0]\n"
                                         "for i in range(28):\n"
                                         "  a = a + a\n"
                                         "if len(a) < 5:\n"
                                         "  y = torch.relu(y)\n"))),
              HasSubstr("is of lists or texts"));
}

// Which tell of 2^30 tensors.
TEST(ScriptNetworkTest, FollowsListsWithinLists) {
  std::string lines = "l0 = [self.norm.bias, self.norm.bias]\n";
  for (int i = 1; i < 30; ++i) lines += fmt::format("l{0} = [l{1}, l{1}]\n", i, i - 1);
  EXPECT_THAT(Followed(Between(lines + "if len(l29) == 2:\n  y = torch.relu(y)\n")), IsOk());
}

TEST(ScriptNetworkTest, RefusesCallsThatGrow) {
  std::string methods = "def g0(self, x):\n  return x * 1.5\n";
  for (int i = 1; i < 24; ++i) {
    methods += fmt::format("def g{}(self, x):\n  return self.g{}(self.g{}(x))\n", i, i - 1, i - 1);
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(ScriptReader* const reader, OpenScriptReader());
  const std::string file =
      ScriptFile("if x.dim() == 7:\n  return self.g23(x)\nreturn x\n", methods);
  EXPECT_THAT(MessageOf(reader->Read(file, kScriptSides).status()),
              HasSubstr("where calls are replaced"));
}

// As torch.jit.script writes conditions, loops and shapes.
TEST(ScriptNetworkTest, TakesTheWaysThatTheModuleTakes) {
  EXPECT_THAT(Followed(Between("if self.training:\n"
                               "  y = torch.cumsum(y, 1)\n"
                               "for i in range(3):\n"
                               "  if i != 1:\n"
                               "    y = torch.relu(y) + 1.0\n"
                               "assert y.dim() == 4, 'another shape'\n"
                               "y = y.view([y.size(0), -1, y.size(2), y.size(3)])\n")),
              IsOk());
}

TEST(ScriptNetworkTest, FollowsAnEmbeddingOfLengthOne) {
  EXPECT_THAT(Followed(std::string(kTrunk) +
                       "y = torch.linear(torch.flatten(y, 1), self.fc.weight, self.fc.bias)\n"
                       "length = torch.clamp_min(torch.norm(y, 2, [1], True), 1e-12)\n"
                       "return y / torch.expand_as(length, y), length\n"),
              IsOk());
}

TEST(ScriptNetworkTest, CallsTensorsAsTheModuleDoes) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ScriptNetwork script, ReadScript(Between("")));
  EXPECT_THAT(script.model.initializers,
              AllOf(Contains(Key("conv.weight")), Contains(Key("norm.running_var")),
                    Contains(Key("slopes.weight")), Contains(Key("fc.weight"))));
}

TEST(ScriptNetworkTest, RefusesOperatorsByTheirNames) {
  const auto refusal = [](const std::string& lines) {
    return std::string(MessageOf(Followed(Between(lines))));
  };
  EXPECT_THAT(refusal("y = torch.cumsum(y, 1)\n"), HasSubstr("operator aten::cumsum"));
  EXPECT_THAT(refusal("y = y + torch.zeros([1])\n"), HasSubstr("operator aten::zeros"));
  EXPECT_THAT(refusal("if bool(torch.relu(y)[0, 0, 0, 0] > 1.0):\n  y = torch.relu(y)\n"),
              HasSubstr("aten::select"));
  EXPECT_THAT(refusal("y = torch.add(y, y, alpha=2.0)\n"), HasSubstr("operator aten::add"));
}

TEST(ScriptNetworkTest, RefusesAModuleThatWantsAnotherPicture) {
  EXPECT_THAT(MessageOf(Followed("assert x.dim() == 3, 'too small'\nreturn x\n")),
              AllOf(HasSubstr("prim::RaiseException"), HasSubstr("too small")));
  EXPECT_THAT(MessageOf(Followed(std::string(kTrunk) + "return torch.linear(torch.flatten(y[:, :, "
                                                       "0:1], 1), self.fc.weight)\n")),
              HasSubstr("aten::slice"));
}

TEST(ScriptNetworkTest, TellsOtherEmbeddingsApart) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(ScriptReader* const reader, OpenScriptReader());
  FACEGATE_ASSERT_OK_AND_ASSIGN(ScriptNetwork script, ReadScript(Between("")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork graph, DescribeGraph(std::move(script.model)));
  EXPECT_THAT(MessageOf(reader->Compare(graph.description, RandomWeights(graph.description, 1),
                                        script.probe)),
              HasSubstr("other embeddings than the module"));
}

TEST(ScriptNetworkTest, TellsOtherLengthsApart) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(ScriptReader* const reader, OpenScriptReader());
  FACEGATE_ASSERT_OK_AND_ASSIGN(ScriptNetwork script, ReadScript(Between("")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork graph, DescribeGraph(std::move(script.model)));
  for (std::vector<float>& embedding : script.probe.embeddings) {
    for (float& one : embedding) one *= 2.0F;
  }
  EXPECT_THAT(MessageOf(reader->Compare(graph.description, graph.tensors, script.probe)),
              HasSubstr("0.5000 times as long"));
}

TEST(ScriptArchiveTest, KnowsCodeInAnArchive) {
  const std::string file = ScriptFile("return x\n");
  EXPECT_TRUE(LooksLikeTorchScript(file));
  EXPECT_FALSE(LooksLikeTorchScript(std::string_view(file).substr(0, file.size() / 2)));
  EXPECT_FALSE(LooksLikeTorchScript(TorchCheckpoint({}, "")));
}

// A record of the archive's directory: its method stands 10 bytes, its size 24 bytes from its
// beginning, its name 46.
std::string WithRecord(std::string file, std::string_view name, size_t place, char value) {
  const size_t found = file.rfind(name);
  const size_t begin = file.rfind("PK\x01\x02", found);
  file[begin + place] = value;
  return file;
}

TEST(ScriptArchiveTest, RefusesTensorsThatAreCompressed) {
  const std::string file = ScriptFile("return x\n");
  EXPECT_THAT(CheckScriptArchive(file), IsOk());
  EXPECT_THAT(MessageOf(CheckScriptArchive(WithRecord(file, "/data/0", 10, 8))),
              HasSubstr("is compressed"));
}

TEST(ScriptArchiveTest, RefusesMuchCode) {
  const std::string file = WithRecord(ScriptFile("return x\n"), "/code/__torch__.py", 27, 0x40);
  EXPECT_THAT(MessageOf(CheckScriptArchive(file)), HasSubstr("64 MiB of code"));
}

class ImportScriptTest : public ::testing::Test {
 protected:
  StatusOr<ImportReport> Import(const std::string& bytes, bool allowed) {
    ImportOptions options{.source = dir_.File("module.pt"), .out = dir_.File("model.safetensors")};
    options.card.alignment = "arcface-112x112";
    options.card.letterbox = true;
    options.input = "16x16";
    options.torchscript = allowed;
    FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(options.source, bytes));
    return ImportModel(options);
  }

  const TempDir dir_;
};

TEST_F(ImportScriptTest, AsksForTheOptionThatAllowsIt) {
  EXPECT_THAT(MessageOf(Import(ScriptFile(Between("")), false).status()),
              HasSubstr("--torchscript imports it where you trust"));
}

TEST_F(ImportScriptTest, RefusesTheOptionForOtherFiles) {
  EXPECT_THAT(MessageOf(Import("other", true).status()), HasSubstr("none of torch.jit.save"));
}

TEST_F(ImportScriptTest, MakesAModelOfAModule) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImportReport report,
                                Import(ScriptFile(Between("y = torch.relu(y) + y\n")), true));
  EXPECT_EQ(report.network, "network of a TorchScript module");
  EXPECT_EQ(report.card.preprocessing.input_width, 16);
  EXPECT_THAT(report.remarks, Contains(HasSubstr("those of the TorchScript module")));
}

}  // namespace
}  // namespace facegate
