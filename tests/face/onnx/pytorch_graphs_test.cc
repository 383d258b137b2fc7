// Graphs that PyTorch's own exporter writes, where it is installed.
#include <gmock/gmock.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/onnx/graph_reader.h"
#include "face/onnx/onnx_file.h"
#include "face/torch/backbone.h"
#include "face/torch/frozen_network.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/python_script.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxGraphBytes = 1ULL << 30;
constexpr double kLeastCosine = 0.99999;

// One of each family of architecture.h, and both kinds of units where there are two.
constexpr std::array<const char*, 17> kNetworks = {"mobilefacenet-128",
                                                   "mobilefacenet-512",
                                                   "iresnet-18",
                                                   "irse-18",
                                                   "ir-50",
                                                   "adaface-ir-50",
                                                   "resnet-face-18",
                                                   "resnet-face-18-rgb200-se",
                                                   "resnet-18-grey128",
                                                   "resnet-50-grey128",
                                                   "resnet-18-pooled",
                                                   "resnet-18-plane-2",
                                                   "resnet-50-mean-128",
                                                   "mobilenetv1-512",
                                                   "keras-resnet-50",
                                                   "keras-mobilenetv2",
                                                   "ghostfacenet-v1-s2"};

// The pictures of tests/golden/backbone_reference.py.
torch::Tensor Pictures(const network::Input& input) {
  const torch::Tensor index =
      torch::arange(2 * input.channels * input.height * input.width, torch::kInt64);
  return ((index * 7919).remainder(65521).remainder(256).to(torch::kFloat) - 127.5)
      .div(127.5)
      .view({2, input.channels, input.height, input.width});
}

StatusOr<torch::Tensor> EmbeddingsOf(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxGraphBytes));
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel model, ParseOnnx(bytes, ""));
  FACEGATE_ASSIGN_OR_RETURN(const GraphNetwork read, DescribeGraph(std::move(model)));
  FACEGATE_ASSIGN_OR_RETURN(const auto backbone, CreateBackbone(read.description));
  FACEGATE_RETURN_IF_ERROR(LoadWeights(read.tensors, *backbone));
  FACEGATE_ASSIGN_OR_RETURN(const auto frozen, FrozenNetwork::Create(*backbone, torch::kCPU));
  FACEGATE_ASSIGN_OR_RETURN(const torch::Tensor rows,
                            frozen->Run(Pictures(read.description.input), 1));
  return rows.to(torch::kDouble) / rows.to(torch::kDouble).norm(2, 1, true);
}

TEST(PyTorchGraphsTest, GiveTheEmbeddingsOfPyTorch) {
  const TempDir dir;
  for (const std::string name : kNetworks) {
    SCOPED_TRACE(name);
    const auto [code, text] = RunPython(FACEGATE_EXPORT_BACKBONES, {dir.path().string(), name});
    if (code == kPythonSkipped) {
      GTEST_SKIP() << "SKIPPED: needs the Python packages torch and onnx; name a Python that has "
                      "them in FACEGATE_PYTHON";
    }
    ASSERT_EQ(code, 0) << name << ": " << text;
    const nlohmann::json expected = nlohmann::json::parse(text)[name];
    const std::string path = dir.File(name + ".onnx");
    FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor rows, EmbeddingsOf(path));
    std::filesystem::remove(path);
    ASSERT_EQ(expected.size(), 2U);
    for (size_t i = 0; i < expected.size(); ++i) {
      const std::vector<double> values = expected[i];
      const double cosine =
          rows[static_cast<int64_t>(i)].dot(torch::tensor(values, torch::kDouble)).item<double>();
      EXPECT_GE(cosine, kLeastCosine);
    }
  }
}

}  // namespace
}  // namespace facegate
