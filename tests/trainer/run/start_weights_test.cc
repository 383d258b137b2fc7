#include "trainer/run/start_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/network/random_weights.h"
#include "tests/support/h5_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::Key;
using ::testing::UnorderedElementsAre;

constexpr char kStartNet[] = "mobilefacenet-128";

// Writes checkpoints as torch.save does.
class StartFile {
 public:
  StartFile() { writer_.Proto().Raw("}"); }

  // A dict of tensors under a key.
  void Add(const std::string& key, const TensorMap& tensors, const std::string& prefix) {
    writer_.Text(key).Raw("}");
    for (const auto& [name, tensor] : tensors) {
      if (tensor.dtype != DType::kF32) continue;
      const std::string storage = std::to_string(storages_.size());
      const int64_t elements = tensor.element_count();
      storages_.push_back({storage, static_cast<uint64_t>(elements), tensor.bytes});
      writer_.Text(prefix + name).Global("torch._utils", "_rebuild_tensor_v2").Mark();
      writer_.Storage("FloatStorage", storage, elements).Int(0).Mark();
      for (const int64_t extent : tensor.shape) writer_.Int(extent);
      writer_.Raw("t").Mark();
      int64_t stride = elements;
      for (const int64_t extent : tensor.shape) writer_.Int(stride /= extent);
      writer_.Raw("t").Bool(false).Global("collections", "OrderedDict").Raw(")RtRs");
    }
    writer_.Raw("s");
  }
  std::string Bytes() { return TorchZip(writer_.Stop().bytes(), storages_); }

 private:
  PickleWriter writer_;
  std::vector<StorageBytesOf> storages_;
};

TensorMap Net(uint64_t seed) { return RandomWeights(kStartNet, seed).value(); }

Tensor Head() {
  return {.dtype = DType::kF32, .shape = {10, 128}, .bytes = std::string(10 * 128 * 4, '\0')};
}

StatusOr<StartWeights> Read(StartFile& file) {
  const TempDir dir;
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(dir.File("w.pth"), file.Bytes()));
  return ReadStartWeights(dir.File("w.pth"), kStartNet);
}

void ExpectNet(const StatusOr<StartWeights>& weights, const TensorMap& net) {
  ASSERT_THAT(weights, IsOk());
  for (const auto& [name, tensor] : net) {
    if (tensor.dtype != DType::kF32) continue;
    const auto found = weights->tensors.find("backbone." + name);
    ASSERT_NE(found, weights->tensors.end()) << name;
    EXPECT_EQ(found->second, tensor) << name;
  }
}

TEST(StartWeightsTest, TakesTheBackboneOutOfACheckpointWithAPrefixAndAHead) {
  TensorMap net = Net(1);
  TensorMap all;
  for (const auto& [name, tensor] : net) all.emplace("backbone." + name, tensor);
  all.emplace("head.weight", Head());
  StartFile file;
  file.Add("state_dict", all, "module.");
  const auto weights = Read(file);
  ExpectNet(weights, net);
  EXPECT_THAT(weights->left, ::testing::ElementsAre("module.head.weight"));
}

TEST(StartWeightsTest, TakesTheAveragedOfTwoNetworks) {
  StartFile file;
  file.Add("state_dict", Net(1), "backbone.");
  file.Add("state_dict_ema", Net(2), "backbone.");
  ExpectNet(Read(file), Net(2));
}

TEST(StartWeightsTest, TakesAPartOfANetworkToo) {
  TensorMap net = Net(1);
  net.erase(net.begin());
  StartFile file;
  file.Add("model", net, "module.");
  ExpectNet(Read(file), net);
}

StatusOr<StartWeights> ReadPart(const std::string& bytes, const std::string& architecture) {
  const TempDir dir;
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(dir.File("w"), bytes));
  return ReadStartWeights(dir.File("w"), architecture);
}

Tensor Zeros(std::vector<int64_t> shape) {
  Tensor tensor{.dtype = DType::kF32, .shape = std::move(shape), .bytes = {}};
  tensor.bytes.resize(static_cast<size_t>(tensor.element_count()) * sizeof(float));
  return tensor;
}

TEST(StartWeightsTest, TakesTorchvisionsTrunk) {
  const TensorMap trunk = {{"conv1.weight", Zeros({64, 3, 7, 7})},
                           {"layer1.0.conv1.weight", Zeros({64, 64, 1, 1})},
                           {"fc.weight", Zeros({1000, 2048})}};
  StartFile file;
  file.Add("model", trunk, "");
  const std::string bytes = file.Bytes();
  for (const auto& [architecture, first, unit] :
       {std::array{"resnet-50-mean-128", "backbone.resnet_layer.0.weight",
                   "backbone.resnet_layer.4.0.conv1.weight"},
        std::array{"resnet-50-pooled", "backbone.conv1.weight",
                   "backbone.layer1.0.conv1.weight"}}) {
    const auto weights = ReadPart(bytes, architecture);
    ASSERT_THAT(weights, IsOk());
    EXPECT_THAT(weights->tensors,
                UnorderedElementsAre(Key(first), Key(unit), Key("backbone.fc.weight")));
  }
}

TEST(StartWeightsTest, RefusesTwoTensorsOfOneName) {
  const TensorMap twice = {{"conv1.weight", Zeros({64, 3, 7, 7})},
                           {"resnet_layer.0.weight", Zeros({64, 3, 7, 7})}};
  StartFile file;
  file.Add("model", twice, "");
  const auto weights = ReadPart(file.Bytes(), "resnet-50-mean-128");
  EXPECT_THAT(std::string(MessageOf(weights.status())),
              ::testing::HasSubstr("two tensors for \"resnet_layer.0.weight\""));
}

TEST(StartWeightsTest, TakesAPartOfANetworkThatKerasSaved) {
  const auto weights =
      ReadPart(H5Bytes({{"conv1_conv/conv1_conv/kernel:0", {7, 7, 3, 64}}}), "keras-resnet-50");
  ASSERT_THAT(weights, IsOk());
  EXPECT_THAT(weights->tensors, UnorderedElementsAre(Key("backbone.resnet50.conv1_conv.weight")));
}

}  // namespace
}  // namespace facegate
