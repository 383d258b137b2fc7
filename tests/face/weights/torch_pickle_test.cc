#include "face/weights/torch_pickle.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/weights/state_dict.h"
#include "tests/face/weights/pickle_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

TEST(TorchPickleTest, ReadsTheZipFormat) {
  const auto object = [](PickleWriter& writer) { WriteStateDict(writer, "conv.weight"); };
  for (const ZipOptions& options : {ZipOptions{}, ZipOptions{.zip64 = true},
                                    ZipOptions{.descriptors = true}, ZipOptions{.padding = 61}}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors,
                                  ParseTorchPickle(ZipOf(object, options)));
    ASSERT_EQ(tensors.size(), 1U);
    EXPECT_EQ(tensors.at("conv.weight"),
              (Tensor{.dtype = DType::kF32, .shape = {2, 3}, .bytes = SixFloats()}));
  }
}

TEST(TorchPickleTest, ReadsTheLegacyFormat) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const TensorMap tensors,
      ParseTorchPickle(LegacyOf([](PickleWriter& writer) { WriteStateDict(writer, "w"); })));
  EXPECT_EQ(tensors.at("w"), (Tensor{.dtype = DType::kF32, .shape = {2, 3}, .bytes = SixFloats()}));
}

// A key that many dicts lie behind is copied for each of them.
TEST(TorchPickleTest, CutsLongKeysInPaths) {
  const std::string file = ZipOf([](PickleWriter& writer) {
    writer.Raw("}").Text(std::string(100000, 'k')).Raw("}").Text("w");
    WriteSix(writer);
    writer.Raw("ss");
  });
  std::string path;
  const auto choose = [&](const std::vector<StateDictShapes>& dicts) -> StatusOr<TensorChoice> {
    path = dicts.at(0).path;
    return TensorChoice{.dict = 0, .names = {"w"}};
  };
  EXPECT_THAT(NamesOf(ParseTorchPickle(file, choose)), ElementsAre("w"));
  EXPECT_EQ(path, std::string(256, 'k'));
}

TEST(TorchPickleTest, ReadsParameters) {
  const auto object = [](PickleWriter& writer) {
    writer.Raw("}").Text("w").Global("torch._utils", "_rebuild_parameter").Mark();
    WriteSix(writer);
    writer.Bool(true).Raw("}tRs");
  };
  EXPECT_THAT(NamesOf(ParseTorchPickle(ZipOf(object))), ElementsAre("w"));
}

TEST(TorchPickleTest, KeepsEveryTypeAsItIs) {
  const std::vector<std::tuple<std::string, DType, std::string>> types = {
      {"DoubleStorage", DType::kF64, "01234567"}, {"HalfStorage", DType::kF16, "01"},
      {"BFloat16Storage", DType::kBF16, "01"},    {"LongStorage", DType::kI64, "01234567"},
      {"IntStorage", DType::kI32, "0123"},        {"ShortStorage", DType::kI16, "01"},
      {"CharStorage", DType::kI8, "0"},           {"ByteStorage", DType::kU8, "0"},
      {"BoolStorage", DType::kBool, "\1"},        {"FloatStorage", DType::kF32, "0123"}};
  for (const auto& [name, dtype, bytes] : types) {
    const std::string pickle = PickleOf([&](PickleWriter& writer) {
      writer.Raw("}").Text("x").Tensor(name, "k", 1, 0, {}, {}).Raw("s");
    });
    for (const std::string& file :
         {TorchZip(pickle, {{"k", 1, bytes}}), TorchLegacy(pickle, {{"k", 1, bytes}})}) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, ParseTorchPickle(file));
      EXPECT_EQ(tensors.at("x"), (Tensor{.dtype = dtype, .shape = {}, .bytes = bytes})) << name;
    }
  }
}

TEST(TorchPickleTest, MakesStridedTensorsContiguous) {
  const auto read = [](int64_t offset, std::initializer_list<int64_t> shape,
                       std::initializer_list<int64_t> strides) {
    const auto tensors = ParseTorchPickle(ZipOf([&](PickleWriter& writer) {
      writer.Raw("}").Text("x").Tensor("FloatStorage", "0", 6, offset, shape, strides).Raw("s");
    }));
    EXPECT_THAT(tensors, IsOk());
    return tensors.ok() ? tensors->at("x").bytes : std::string();
  };
  EXPECT_EQ(read(0, {3, 2}, {1, 3}), FloatBytes({0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(read(1, {2, 2}, {3, 1}), FloatBytes({1, 2, 4, 5}));
  EXPECT_EQ(read(5, {}, {}), FloatBytes({5}));
  EXPECT_EQ(read(0, {2, 2}, {0, 1}), FloatBytes({0, 1, 0, 1}));
  EXPECT_EQ(read(4, {0, 9}, {9, 1}), "");
  constexpr int64_t kAnything = int64_t{1} << 62;
  EXPECT_EQ(read(2, {1, 2, 1}, {kAnything, 2, kAnything}), FloatBytes({2, 4}));
}

TEST(TorchPickleTest, LetsViewsShareAStorage) {
  const auto object = [](PickleWriter& writer) {
    writer.Raw("}(").Text("a").Tensor("FloatStorage", "0", 6, 0, {2}, {1});
    writer.Text("b").Tensor("FloatStorage", "0", 6, 2, {4}, {1}).Raw("u");
  };
  for (const std::string& file : {ZipOf(object), LegacyOf(object)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, ParseTorchPickle(file));
    EXPECT_EQ(tensors.at("a").bytes, FloatBytes({0, 1}));
    EXPECT_EQ(tensors.at("b").bytes, FloatBytes({2, 3, 4, 5}));
  }
}

TEST(TorchPickleTest, ReadsViewsOfLegacyStorages) {
  PickleWriter writer;
  writer.Proto().Raw("}").Text("x").Global("torch._utils", "_rebuild_tensor_v2").Mark();
  writer.Mark().Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Int(6);
  writer.Mark().Text("view").Int(2).Int(3).Raw("t").Raw("tQ");
  writer.Int(1).Ints({2}).Ints({1}).Bool(false).None().Raw("tRs").Stop();
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const TensorMap tensors,
      ParseTorchPickle(TorchLegacy(writer.bytes(), {{"0", 6, SixFloats()}})));
  EXPECT_EQ(tensors.at("x").bytes, FloatBytes({3, 4}));
}

TEST(TorchPickleTest, FindsTheStateDictInsideACheckpoint) {
  for (const char* entry :
       {"state_dict", "model", "net", "backbone", "weights", "state_dict_backbone"}) {
    const auto checkpoint = [&](PickleWriter& writer) {
      writer.Raw("}(").Text("epoch").Int(7).Text("best").Float(0.5).Text(entry);
      WriteStateDict(writer, "w");
      writer.Text("optimizer").Raw("}").Text("state").Raw("]su");
    };
    EXPECT_THAT(NamesOf(ParseTorchPickle(ZipOf(checkpoint))), ElementsAre("w")) << entry;
  }
  const auto nested = [](PickleWriter& writer) {
    writer.Raw("}").Text("model").Raw("}").Text("state_dict");
    WriteStateDict(writer, "w");
    writer.Raw("ss");
  };
  EXPECT_THAT(NamesOf(ParseTorchPickle(LegacyOf(nested))), ElementsAre("w"));
}

TEST(TorchPickleTest, FindsTheStateDictUnderAnyKeyBesideOtherTensors) {
  // A training of one's own writes it so: epoch, optimizer with tensors under numbers, weights.
  const auto checkpoint = [](PickleWriter& writer) {
    writer.Raw("}(").Text("epoch").Int(7).Text("optimizer").Raw("}").Text("state").Raw("}").Int(0);
    writer.Raw("}").Text("momentum_buffer");
    WriteSix(writer);
    writer.Raw("sss").Text("my_weights").Raw("}(").Text("a");
    WriteSix(writer);
    writer.Text("b");
    WriteSix(writer);
    writer.Text("version").Int(2).Raw("uu");
  };
  EXPECT_THAT(NamesOf(ParseTorchPickle(ZipOf(checkpoint))), ElementsAre("a", "b"));
  EXPECT_THAT(NamesOf(ParseTorchPickle(LegacyOf(checkpoint))), ElementsAre("a", "b"));
}

TEST(TorchPickleTest, GivesTheChosenTensorsAlone) {
  const std::string file = ZipOf([](PickleWriter& writer) {
    writer.Raw("}(").Text("net");
    WriteStateDict(writer, "a");
    writer.Text("ema").Raw("}(").Text("b");
    WriteSix(writer);
    writer.Text("c");
    WriteSix(writer);
    writer.Raw("uu");
  });
  std::vector<std::string> paths;
  const auto tensors = ParseTorchPickle(file, [&](const std::vector<StateDictShapes>& dicts) {
    for (const StateDictShapes& dict : dicts) paths.push_back(dict.path);
    EXPECT_EQ(dicts[1].tensors.at("c").shape, (std::vector<int64_t>{2, 3}));
    return StatusOr<TensorChoice>(TensorChoice{.dict = 1, .names = {"c"}});
  });
  EXPECT_THAT(NamesOf(tensors), ElementsAre("c"));
  EXPECT_THAT(paths, ElementsAre("net", "ema"));
}

TEST(TorchPickleTest, DropsPrefixesThatAllNamesShareAlsoRepeatedly) {
  const auto shortened = [](std::initializer_list<std::string> names) {
    TensorMap tensors;
    for (const std::string& name : names) tensors[name] = {};
    return NamesOf(DropSharedPrefixes(std::move(tensors)));
  };
  EXPECT_THAT(shortened({"module.a", "module.b.c"}), ElementsAre("a", "b.c"));
  EXPECT_THAT(shortened({"module.arcface.a", "module.arcface.b"}), ElementsAre("a", "b"));
  EXPECT_THAT(shortened({"_orig_mod.module.backbone.model.a"}), ElementsAre("a"));
  EXPECT_THAT(shortened({"module.a", "head.b"}), ElementsAre("head.b", "module.a"));
  EXPECT_THAT(shortened({"module.", "module.a"}), ElementsAre("module.", "module.a"));
  EXPECT_THAT(shortened({}), ElementsAre());
}

TEST(TorchPickleTest, ReadsALegacyFileThatPyTorchWrote) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const std::string bytes,
      ReadFile((data / "weights" / "arcface_mobilefacenet.pth").string(), 64 << 20));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, ParseTorchPickle(bytes));
  EXPECT_EQ(tensors.size(), 333U);
  EXPECT_EQ(tensors.at("conv1.conv.weight").shape, (std::vector<int64_t>{64, 3, 3, 3}));
  int64_t parameters = 0;
  for (const auto& [name, tensor] : tensors) {
    const bool buffer = name.find("running_") != std::string::npos ||
                        name.find("num_batches_tracked") != std::string::npos;
    if (!buffer) parameters += tensor.element_count();
  }
  EXPECT_EQ(parameters, 1'003'136);
}

}  // namespace
}  // namespace facegate
