// Files that are no state dicts, damaged or hostile, are refused in words and in bounded memory.

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <utility>

#include "face/weights/torch_pickle.h"
#include "tests/face/weights/pickle_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace facegate
