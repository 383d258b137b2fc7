#include "face/weights/torch_pickle.h"

#include <gmock/gmock.h>

#include <functional>

#include "face/base/file.h"
#include "face/weights/state_dict.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string& SixFloats() {
  static const std::string bytes = FloatBytes({0, 1, 2, 3, 4, 5});
  return bytes;
}

// Writes the pickle of an object that uses storage "0", the six floats above.
using WriteObject = std::function<void(PickleWriter&)>;

std::string PickleOf(const WriteObject& write) {
  PickleWriter writer;
  writer.Proto();
  write(writer);
  return writer.Stop().bytes();
}

std::string ZipOf(const WriteObject& write, const ZipOptions& options = {}) {
  return TorchZip(PickleOf(write), {{"0", 6, SixFloats()}}, options);
}

std::string LegacyOf(const WriteObject& write) {
  return TorchLegacy(PickleOf(write), {{"0", 6, SixFloats()}});
}

void WriteSix(PickleWriter& writer) { writer.Tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1}); }

// An OrderedDict of one name, as model.state_dict() gives it, with the attribute _metadata.
void WriteStateDict(PickleWriter& writer, std::string_view name) {
  writer.Global("collections", "OrderedDict").Raw(")R").Text(name);
  WriteSix(writer);
  writer.Raw("s}").Text("_metadata").Raw("}sb");
}

std::vector<std::string> NamesOf(const StatusOr<TensorMap>& tensors) {
  EXPECT_THAT(tensors, IsOk());
  std::vector<std::string> names;
  if (tensors.ok()) {
    for (const auto& [name, tensor] : *tensors) names.push_back(name);
  }
  return names;
}

std::string FileError(const std::string& file) {
  const auto tensors = ParseTorchPickle(file);
  EXPECT_THAT(tensors, StatusIs(StatusCode::kInvalidArgument));
  return tensors.ok() ? "" : std::string(MessageOf(tensors.status()));
}

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

TEST(TorchPickleTest, RefusesAmbiguityNamingTheCandidates) {
  const auto two = [](PickleWriter& writer) {
    writer.Raw("}(").Text("net");
    WriteStateDict(writer, "w");
    writer.Text("model");
    WriteStateDict(writer, "w");
    writer.Raw("u");
  };
  EXPECT_THAT(FileError(ZipOf(two)), HasSubstr("2 state dicts of 1 tensors: \"net\", \"model\""));
  const auto same_twice = [](PickleWriter& writer) {
    writer.Raw("}(").Text("net");
    WriteStateDict(writer, "w");
    writer.Put(9).Text("model").Get(9).Raw("u");
  };
  EXPECT_THAT(NamesOf(ParseTorchPickle(ZipOf(same_twice))), ElementsAre("w"));
}

TEST(TorchPickleTest, SaysWhatStandsThereInsteadOfAStateDict) {
  EXPECT_THAT(FileError(ZipOf([](PickleWriter& writer) { writer.Raw("]"); })),
              HasSubstr("no dict"));
  EXPECT_THAT(FileError(ZipOf([](PickleWriter& writer) { writer.Raw("}"); })), HasSubstr("empty"));
  EXPECT_THAT(
      FileError(ZipOf([](PickleWriter& writer) { writer.Raw("}").Text("epoch").Int(1).Raw("s"); })),
      HasSubstr("the entries are \"epoch\""));
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

TEST(TorchPickleTest, RefusesTensorsThatLeaveTheirStorage) {
  const auto error = [](int64_t offset, std::initializer_list<int64_t> shape,
                        std::initializer_list<int64_t> strides) {
    return FileError(ZipOf([&](PickleWriter& writer) {
      writer.Raw("}").Text("x").Tensor("FloatStorage", "0", 6, offset, shape, strides).Raw("s");
    }));
  };
  constexpr int64_t kHuge = int64_t{1} << 62;
  EXPECT_THAT(error(1, {2, 3}, {3, 1}), HasSubstr("leaves its storage of 6 elements"));
  EXPECT_THAT(error(6, {1}, {1}), HasSubstr("leaves"));
  EXPECT_THAT(error(0, {2}, {6}), HasSubstr("leaves"));
  EXPECT_THAT(error(0, {2}, {kHuge}), HasSubstr("leaves"));
  EXPECT_THAT(error(kHuge, {2, 2}, {kHuge, kHuge}), HasSubstr("leaves"));
  EXPECT_THAT(error(0, {7}, {1}), HasSubstr("more elements"));
  EXPECT_THAT(error(0, {kHuge, 4}, {0, 0}), HasSubstr("more elements"));
}

TEST(TorchPickleTest, RefusesASmallFileThatAsksForMuchMemory) {
  EXPECT_THAT(
      FileError(ZipOf([](PickleWriter& writer) {
        writer.Raw("}").Text("x").Tensor("FloatStorage", "0", 6, 0, {1 << 30}, {0}).Raw("s");
      })),
      HasSubstr("more elements than its storage, which has 6"));
  // Many names for one storage.
  const std::string storage(100'000, '\0');
  const std::string pickle = PickleOf([&](PickleWriter& writer) {
    writer.Raw("}(").Text("t0").Tensor("ByteStorage", "0", 100'000, 0, {100'000}, {1}).Put(1);
    for (int i = 1; i < 100; ++i) writer.Text("t" + std::to_string(i)).Get(1);
    writer.Raw("u");
  });
  EXPECT_THAT(FileError(TorchZip(pickle, {{"0", 100'000, storage}})),
              HasSubstr("limit for a file of"));
}

TEST(TorchPickleTest, RefusesStoragesOfAnotherSize) {
  const std::string pickle = PickleOf([](PickleWriter& writer) { WriteStateDict(writer, "w"); });
  EXPECT_THAT(FileError(TorchZip(pickle, {{"0", 6, SixFloats().substr(4)}})),
              HasSubstr("storage \"0\" has 20 bytes, 6 elements of F32 need 24"));
  EXPECT_THAT(FileError(TorchZip(pickle, {{"1", 6, SixFloats()}})),
              HasSubstr("no entry \"archive/data/0\""));
  EXPECT_THAT(FileError(TorchLegacy(pickle, {{"0", 5, SixFloats()}})),
              HasSubstr("its place says 5"));
  EXPECT_THAT(FileError(TorchLegacy(pickle, {{"1", 6, SixFloats()}})), HasSubstr("nothing uses"));
  EXPECT_THAT(FileError(TorchLegacy(pickle, {})), HasSubstr("storage \"0\" is missing"));
  EXPECT_THAT(FileError(TorchLegacy(pickle, {{"0", 6, SixFloats() + "x"}})),
              HasSubstr("1 bytes follow"));
  const std::string twice = PickleOf([](PickleWriter& writer) {
    writer.Raw("}(").Text("a").Tensor("FloatStorage", "0", 6, 0, {6}, {1});
    writer.Text("b").Tensor("DoubleStorage", "0", 6, 0, {6}, {1}).Raw("u");
  });
  EXPECT_THAT(FileError(TorchZip(twice, {{"0", 6, SixFloats()}})), HasSubstr("F64 need 48"));
  EXPECT_THAT(FileError(TorchLegacy(twice, {{"0", 6, SixFloats()}})), HasSubstr("of another type"));
}

TEST(TorchPickleTest, RefusesOtherFilesInWords) {
  EXPECT_THAT(FileError("\x80"), HasSubstr("ends"));
  EXPECT_THAT(FileError("\x80\2K\1."), HasSubstr("not one of torch.save"));
  EXPECT_THAT(FileError("PK\3\4"), HasSubstr("end record is missing"));
  EXPECT_THAT(FileError(ZipArchive({{"readme", "x"}})), HasSubstr("no data.pkl"));
  EXPECT_THAT(FileError(ZipArchive({{"a/data.pkl", "N."}, {"a/constants.pkl", "N."}})),
              HasSubstr("TorchScript"));
  EXPECT_THAT(FileError(ZipArchive({{"a/data.pkl", "N."}, {"b/data.pkl", "N."}})),
              HasSubstr("several data.pkl"));
  EXPECT_THAT(FileError(ZipArchive({{"a/data.pkl", "N."}, {"a/byteorder", "big"}})),
              HasSubstr("byte order is \"big\""));
  const std::string pickle = PickleOf([](PickleWriter& writer) { WriteStateDict(writer, "w"); });
  EXPECT_THAT(FileError(TorchLegacy(pickle, {{"0", 6, SixFloats()}}, false)),
              HasSubstr("byte order is not little"));
  EXPECT_THAT(
      FileError(ZipOf([](PickleWriter& writer) { WriteStateDict(writer, "w"); }, {.method = 8})),
      HasSubstr("compressed by method 8"));
  EXPECT_THAT(FileError(ZipOf([](PickleWriter& writer) {
                writer.Global("torch.nn.modules.linear", "Linear");
              })),
              AllOf(HasSubstr("data.pkl"), HasSubstr("torch.nn.modules.linear.Linear"),
                    HasSubstr("state_dict()")));
}

TEST(TorchPickleTest, CallsFilesOfOtherKindsByTheirNames) {
  using namespace std::string_literals;
  const std::pair<std::string, const char*> files[] = {
      {"", "empty"},
      {"<!DOCTYPE html>\n<html>", "a web page"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"},
      {"\x1f\x8b\x08", "a gzip archive"},
      {std::string(257, 'x') + "ustar", "a tar archive"},
      {"7z\xbc\xaf\x27\x1c", "a 7z archive"},
      {"Rar!\x1a\x07", "a RAR archive"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
      {"\x08\x07\x12\x07pytorch", "an ONNX model"},
      {"\x08\x01\x12\x90\x01", "a TensorFlow SavedModel"},
      {"\x93NUMPY\x01\0"s, "a NumPy array"},
      {"{\"a\": 1}", "JSON"},
      {"epoch 1", "text"},
      {"\xff\xd8\xff\xe0", "a JPEG"}};
  for (const auto& [bytes, words] : files) EXPECT_THAT(FileError(bytes), HasSubstr(words));
  EXPECT_THAT(FileError(ZipArchive({{"model.weights.h5", "x"}})), HasSubstr("Keras"));
  EXPECT_THAT(FileError(ZipArchive({{"arr_0.npy", "x"}})), HasSubstr("NumPy"));
  EXPECT_THAT(FileError(ZipArchive({{"in/net.pth", "x"}})), HasSubstr("unpack it and import"));
}

TEST(TorchPickleTest, RefusesNamesThatAreNoText) {
  EXPECT_THAT(FileError(ZipOf([](PickleWriter& writer) { WriteStateDict(writer, "a\xff"); })),
              HasSubstr("a tensor has the name \"a\\xff\""));
  EXPECT_THAT(FileError(ZipOf([](PickleWriter& writer) { WriteStateDict(writer, ""); })),
              HasSubstr("a tensor has the name \"\""));
}

TEST(TorchPickleTest, RefusesEveryTruncation) {
  const auto object = [](PickleWriter& writer) { WriteStateDict(writer, "w"); };
  for (const std::string& file : {ZipOf(object), LegacyOf(object)}) {
    ASSERT_THAT(ParseTorchPickle(file), IsOk());
    for (size_t size = 0; size < file.size(); ++size) {
      EXPECT_THAT(ParseTorchPickle(std::string_view(file).substr(0, size)),
                  StatusIs(StatusCode::kInvalidArgument))
          << size;
    }
  }
}

TEST(TorchPickleTest, SurvivesEveryBitFlip) {
  const auto object = [](PickleWriter& writer) { WriteStateDict(writer, "w"); };
  // There are no checksums, so that the flips reach the pickle machine.
  for (const std::string& file : {ZipOf(object, {.checksums = false}), LegacyOf(object)}) {
    for (size_t i = 0; i < file.size() * 8; ++i) {
      std::string flipped = file;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
      const auto tensors = ParseTorchPickle(flipped);
      if (!tensors.ok()) {
        EXPECT_THAT(tensors, StatusIs(StatusCode::kInvalidArgument));
        continue;
      }
      for (const auto& [name, tensor] : *tensors) {
        EXPECT_EQ(tensor.bytes.size(),
                  static_cast<size_t>(tensor.element_count()) * SizeOf(tensor.dtype));
      }
    }
  }
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
