// Exported models as other programs read them: OpenCV, PyTorch, ONNX Runtime.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <opencv2/dnn.hpp>

#include "face/base/file.h"
#include "face/base/npy_header.h"
#include "face/base/sha256.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/onnx/onnx_file.h"
#include "face/weights/torch_pickle_writer.h"
#include "tests/support/python_script.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/command/onnx_check.h"
#include "trainer/command/export_format.h"
#include "trainer/run/model_writer.h"

namespace facegate {
namespace {

constexpr double kTolerance = 1e-5;
constexpr int kFaces = 3;

Preprocessing BgrPreprocessing() {
  return {.colour_order = ColourOrder::kBgr,
          .mean = {127.5F, 120.0F, 110.0F},
          .scale = {1 / 127.5F, 1 / 128.0F, 1 / 100.0F}};
}

struct ExportedCase {
  const char* architecture;
  Preprocessing preprocessing{};
  OnnxPixels pixels = OnnxPixels::kNone;
  bool normalise = false;
  bool half = false;       // weights of 16 bits
  bool keep_half = false;  // also in the graph
  int batch = kFaces;
};

// A model, what our embedder makes of generated crops, and the graph with its input for the same.
struct Exported {
  std::string onnx;
  std::vector<float> pixels;
  std::vector<Embedding> embeddings;
};

StatusOr<Exported> ExportRandom(const ExportedCase& one) {
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, RandomModelFile(one.architecture, one.preprocessing));
  if (one.half) FACEGATE_RETURN_IF_ERROR(RoundToHalf(file.tensors));
  FACEGATE_ASSIGN_OR_RETURN(
      OnnxModel model,
      OnnxOf({.tensors = file.tensors, .card = file.card},
             {.preprocessing = one.preprocessing, .pixels = one.pixels, .normalise = one.normalise},
             true));
  Exported exported;
  FACEGATE_ASSIGN_OR_RETURN(exported.onnx, SerializeOnnx(std::move(model)));
  const std::vector<AlignedFace> faces = CanaryFaces(11, one.batch, one.preprocessing.alignment);
  exported.pixels = OnnxPixelsOf(faces, one.preprocessing, one.pixels == OnnxPixels::kNone);
  FACEGATE_ASSIGN_OR_RETURN(
      const auto embedder,
      MakeTorchEmbedder(std::move(file),
                        {.threads = 1, .max_batch = kFaces, .device = "cpu", .run_canary = false}));
  FACEGATE_ASSIGN_OR_RETURN(exported.embeddings, embedder->Embed(faces));
  return exported;
}

class OpenCvExportTest : public ::testing::TestWithParam<ExportedCase> {};

TEST_P(OpenCvExportTest, GivesTheEmbedderSEmbeddings) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Exported exported, ExportRandom(GetParam()));
  cv::dnn::Net net = cv::dnn::readNetFromONNX(exported.onnx.data(), exported.onnx.size());
  const int batch = GetParam().batch;
  const std::vector<int> shape = {batch, 3, 112, 112};
  net.setInput(cv::Mat(shape, CV_32F, const_cast<float*>(exported.pixels.data())), "data");
  const cv::Mat rows = net.forward("embedding");
  ASSERT_EQ(rows.rows, batch);
  for (int i = 0; i < batch; ++i) {
    const std::vector<float> row(rows.ptr<float>(i), rows.ptr<float>(i) + rows.cols);
    EXPECT_LT(LargestDifference(exported.embeddings[static_cast<size_t>(i)], row), kTolerance);
    if (GetParam().normalise) {
      EXPECT_NEAR(cv::norm(rows.row(i)), 1.0, 1e-6);
    }
  }
}

// OpenCV 4.6 multiplies channels by gates for one picture at a time, where N is not fixed.
INSTANTIATE_TEST_SUITE_P(Networks, OpenCvExportTest,
                         ::testing::Values(ExportedCase{.architecture = "mobilefacenet-128"},
                                           ExportedCase{.architecture = "mobilefacenet-512",
                                                        .pixels = OnnxPixels::kFloat},
                                           ExportedCase{.architecture = "iresnet-18",
                                                        .normalise = true},
                                           ExportedCase{.architecture = "iresnet-50"},
                                           ExportedCase{.architecture = "keras-mobilenetv2"},
                                           ExportedCase{.architecture = "irse-50",
                                                        .preprocessing = BgrPreprocessing(),
                                                        .pixels = OnnxPixels::kFloat,
                                                        .batch = 1}));

TEST(OnnxRuntimeExportTest, GivesTheEmbedderSEmbeddings) {
  const TempDir dir;
  for (const ExportedCase& one :
       {ExportedCase{.architecture = "mobilefacenet-128"},
        ExportedCase{.architecture = "mobilefacenet-512",
        .preprocessing = BgrPreprocessing(),
        .pixels = OnnxPixels::kUint8,
        .normalise = true},
        ExportedCase{.architecture = "irse-50"}, ExportedCase{.architecture = "iresnet-18"},
        ExportedCase{.architecture = "iresnet-50"},
        ExportedCase{.architecture = "keras-mobilenetv2"},
        ExportedCase{.architecture = "ghostfacenet-v1-s1"},
        ExportedCase{.architecture = "vit-t"}}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Exported exported, ExportRandom(one));
    const std::string bytes(reinterpret_cast<const char*>(exported.pixels.data()),
                            exported.pixels.size() * sizeof(float));
    ASSERT_THAT(WriteFileAtomically(dir.File("m.onnx"), exported.onnx), IsOk());
    ASSERT_THAT(WriteFileAtomically(dir.File("x.npy"),
                                    NpyHeader({kFaces, exported.pixels.size() / kFaces}) + bytes),
                IsOk());
    const auto [code, text] = RunPython(FACEGATE_RUN_ONNX, {dir.File("m.onnx"), dir.File("x.npy")});
    if (code == kPythonSkipped) {
      GTEST_SKIP() << "SKIPPED: needs the Python packages numpy, onnx and onnxruntime; name a "
                      "Python that has them in FACEGATE_PYTHON";
    }
    ASSERT_EQ(code, 0) << text;
    const nlohmann::json json = nlohmann::json::parse(text);
    EXPECT_EQ(json["input"], "data");
    EXPECT_EQ(json["output"], "embedding");
    ASSERT_EQ(json["values"].size(), size_t{kFaces});
    for (size_t i = 0; i < kFaces; ++i) {
      EXPECT_LT(LargestDifference(exported.embeddings[i], json["values"][i]), kTolerance);
    }
  }
}

// What PyTorch calls our types.
std::string TorchTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return "torch.bool";
    case DType::kU8:
      return "torch.uint8";
    case DType::kI8:
      return "torch.int8";
    case DType::kI16:
      return "torch.int16";
    case DType::kI32:
      return "torch.int32";
    case DType::kI64:
      return "torch.int64";
    case DType::kF16:
      return "torch.float16";
    case DType::kBF16:
      return "torch.bfloat16";
    case DType::kF32:
      return "torch.float32";
    case DType::kF64:
      return "torch.float64";
  }
  return "";
}

TEST(TorchExportTest, ReadsEveryTypeAndShapeWithWeightsOnly) {
  TensorMap tensors;
  for (const DType dtype : {DType::kBool, DType::kU8, DType::kI8, DType::kI16, DType::kI32,
                            DType::kI64, DType::kF16, DType::kBF16, DType::kF32, DType::kF64}) {
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{}, {3}, {2, 300}, {2, 1, 3, 1, 2}, {0}, {4, 0, 2}}) {
      Tensor tensor{.dtype = dtype, .shape = shape, .bytes = {}};
      const size_t size = static_cast<size_t>(tensor.element_count()) * SizeOf(dtype);
      for (size_t i = 0; i < size; ++i) tensor.bytes.push_back(static_cast<char>(i % 2));
      tensors[std::string(DTypeName(dtype)) + ShapeText(shape)] = tensor;
    }
  }
  const TempDir dir;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string file, SerializeTorchPickle(tensors));
  ASSERT_THAT(WriteFileAtomically(dir.File("t.pth"), file), IsOk());
  const auto [code, text] = RunPython(FACEGATE_READ_TORCH, {dir.File("t.pth")});
  if (code == kPythonSkipped) {
    GTEST_SKIP() << "SKIPPED: needs the Python package torch; name a Python that has it in "
                    "FACEGATE_PYTHON";
  }
  ASSERT_EQ(code, 0) << text;
  const nlohmann::json json = nlohmann::json::parse(text);
  EXPECT_EQ(json["type"], "OrderedDict");
  ASSERT_EQ(json["tensors"].size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const nlohmann::json& read = json["tensors"][name];
    EXPECT_EQ(read["dtype"], TorchTypeOf(tensor.dtype)) << name;
    EXPECT_EQ(read["shape"], nlohmann::json(tensor.shape)) << name;
    EXPECT_EQ(read["sha256"], Sha256Hex(tensor.bytes)) << name;
  }
}

}  // namespace
}  // namespace facegate
