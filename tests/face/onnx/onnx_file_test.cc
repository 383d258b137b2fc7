#include "face/onnx/onnx_file.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/base/split_mix.h"
#include "tests/support/onnx_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string SmallOnnx() {
  const std::string conv =
      wire::Node("Conv", {"data", "w"}, "out",
                 wire::Attribute("group", 2, wire::Number(3, 1)) +
                     wire::Attribute("pads", 7, wire::Packed(8, {1, 1, 1, 1})));
  const std::string graph =
      wire::Bytes(1, conv) + wire::Bytes(2, "net") +
      wire::Initializer(wire::Tensor("w", 1, {2, 1}, wire::Bytes(9, FloatBytes({1, 2})))) +
      wire::Bytes(11, wire::Value("data", {wire::Bytes(2, "N"), wire::Number(1, 3)})) +
      wire::Bytes(11, wire::Value("w", {})) +
      wire::Bytes(12, wire::Value("out", {wire::Number(1, 7)}));
  return wire::Model(graph, wire::Bytes(14, wire::Entry("key", "value")));
}

std::string OnnxError(const std::string& bytes, const std::string& folder = "") {
  const auto model = ParseOnnx(bytes, folder);
  EXPECT_THAT(model, StatusIs(StatusCode::kInvalidArgument));
  return model.status().ToString();
}

StatusOr<Tensor> OnlyTensor(const std::string& tensor, const std::string& folder = "") {
  FACEGATE_ASSIGN_OR_RETURN(const OnnxModel model,
                            ParseOnnx(wire::Model(wire::Initializer(tensor)), folder));
  return model.initializers.begin()->second;
}

TEST(OnnxFileTest, ReadsAModel) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel model, ParseOnnx(SmallOnnx(), ""));
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.producer, "test");
  EXPECT_EQ(model.name, "net");
  EXPECT_EQ(model.opsets.at(""), 13);
  EXPECT_EQ(model.metadata.at("key"), "value");
  EXPECT_EQ(model.initializers.at("w"),
            (Tensor{.dtype = DType::kF32, .shape = {2, 1}, .bytes = FloatBytes({1, 2})}));
  ASSERT_EQ(model.nodes.size(), 1U);
  EXPECT_EQ(model.nodes[0].op, "Conv");
  EXPECT_THAT(model.nodes[0].inputs, ElementsAre("data", "w"));
  EXPECT_EQ(model.nodes[0].attributes.at("group"), OnnxAttribute(int64_t{1}));
  EXPECT_EQ(model.nodes[0].attributes.at("pads"), OnnxAttribute(std::vector<int64_t>(4, 1)));
}

TEST(OnnxFileTest, GivesShapesWithNamesForWhatIsNotFixed) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel model, ParseOnnx(SmallOnnx(), ""));
  ASSERT_EQ(model.inputs.size(), 1U);  // "w" is an initializer
  EXPECT_EQ(model.inputs[0].dtype, DType::kF32);
  EXPECT_THAT(*model.inputs[0].shape, ElementsAre(OnnxExtent("N"), OnnxExtent(int64_t{3})));
}

TEST(OnnxFileTest, ReadsNumbersFromTheFieldsOfTheirTypes) {
  const std::string floats = FloatBytes({1.5F, -2});
  const std::vector<std::tuple<uint64_t, DType, std::string, std::string>> types = {
      {1, DType::kF32, wire::Bytes(4, floats), floats},
      {11, DType::kF64, wire::Bytes(10, "0123456789abcdef"), "0123456789abcdef"},
      {7, DType::kI64, wire::Packed(7, {1, ~uint64_t{0}}),
       std::string("\x01\0\0\0\0\0\0\0", 8) + std::string(8, '\xff')},
      {6, DType::kI32, wire::Packed(5, {258, ~uint64_t{0}}),
       std::string("\x02\x01\0\0", 4) + std::string(4, '\xff')},
      {10, DType::kF16, wire::Packed(5, {0x3c00, 0xbc00}), std::string("\0\x3c\0\xbc", 4)},
      {16, DType::kBF16, wire::Packed(5, {0x3f80, 1}), std::string("\x80\x3f\x01\0", 4)},
      {3, DType::kI8, wire::Packed(5, {5, ~uint64_t{0}}), "\x05\xff"},
      {9, DType::kBool, wire::Packed(5, {0, 1}), std::string("\0\x01", 2)}};
  for (const auto& [number, dtype, data, bytes] : types) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Tensor tensor,
                                  OnlyTensor(wire::Tensor("t", number, {2}, data)));
    EXPECT_EQ(tensor.dtype, dtype);
    EXPECT_EQ(tensor.bytes, bytes) << number;
  }
}

TEST(OnnxFileTest, ReadsDataBesideTheModel) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("m.bin"), "0123456789"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Tensor middle,
      OnlyTensor(wire::External({{"location", "m.bin"}, {"offset", "3"}, {"length", "4"}}),
                 dir.path().string()));
  EXPECT_EQ(middle.bytes, "3456");
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Tensor rest,
      OnlyTensor(wire::External({{"location", "m.bin"}, {"offset", "6"}}), dir.path().string()));
  EXPECT_EQ(rest.bytes, "6789");
}

TEST(OnnxFileTest, RefusesDataOutsideOfTheFile) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("m.bin"), "0123456789"), IsOk());
  for (const auto& [offset, length] : std::vector<std::pair<std::string, std::string>>{
           {"7", "4"}, {"11", "0"}, {"18446744073709551615", "4"}, {"-1", "4"}, {"", "4"}}) {
    const std::string tensor =
        wire::External({{"location", "m.bin"}, {"offset", offset}, {"length", length}});
    EXPECT_THAT(OnnxError(wire::Model(wire::Initializer(tensor)), dir.path().string()),
                HasSubstr("initializer \"outside\""))
        << offset;
  }
}

TEST(OnnxFileTest, RefusesDataOutsideOfTheFolder) {
  const TempDir dir;
  const std::string folder = dir.File("folder");
  std::filesystem::create_directory(folder);
  ASSERT_THAT(WriteFileAtomically(dir.File("secret"), "0123"), IsOk());
  std::filesystem::create_symlink("../secret", folder + "/link");
  for (const std::string& location :
       {std::string("../secret"), dir.File("secret"), std::string("./../folder/../secret"),
        std::string(), std::string("link")}) {
    EXPECT_THAT(
        OnnxError(wire::Model(wire::Initializer(wire::External({{"location", location}}))), folder),
        HasSubstr("folder"))
        << location;
  }
}

TEST(OnnxFileTest, RefusesManyTensorsOfTheSameData) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("m.bin"), "0123"), IsOk());
  std::string graph;
  for (const std::string name : {"a", "b"}) {
    graph += wire::Initializer(wire::Tensor(
        name, 2, {4}, wire::Bytes(13, wire::Entry("location", "m.bin")) + wire::Number(14, 1)));
  }
  EXPECT_THAT(OnnxError(wire::Model(graph), dir.path().string()),
              HasSubstr("of other tensors, too"));
}

TEST(OnnxFileTest, SaysWhichDataAreMissing) {
  const TempDir dir;
  const auto model =
      ParseOnnx(wire::Model(wire::Initializer(wire::External({{"location", "m.data"}}))),
                dir.path().string());
  EXPECT_THAT(model, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(model.status().ToString(), HasSubstr("put it beside the model"));
}

TEST(OnnxFileTest, RefusesOperatorsThatHoldGraphsByName) {
  const std::string loop =
      wire::Node("Loop", {"a"}, "b", wire::Attribute("body", 5, wire::Bytes(6, "")));
  EXPECT_THAT(OnnxError(wire::Model(wire::Bytes(1, loop))), HasSubstr("operator \"Loop\""));
}

TEST(OnnxFileTest, RefusesSizesThatDoNotAgree) {
  const auto error = [](const std::vector<uint64_t>& shape, const std::string& data) {
    return OnnxError(wire::Model(wire::Initializer(wire::Tensor("t", 1, shape, data))));
  };
  EXPECT_THAT(error({2}, wire::Bytes(9, FloatBytes({1}))), HasSubstr("\"t\""));
  EXPECT_THAT(error({1}, wire::Bytes(9, FloatBytes({1, 2}))), HasSubstr("8 bytes of numbers"));
  EXPECT_THAT(error({1}, wire::Bytes(9, "12345")), HasSubstr("5 bytes of numbers"));
  EXPECT_THAT(error({1}, ""), HasSubstr("0 bytes of numbers"));
  EXPECT_THAT(error({~uint64_t{0}}, ""), HasSubstr("shape [-1]"));
  EXPECT_THAT(error({uint64_t{1} << 62, 4}, ""), HasSubstr("shape"));
  EXPECT_THAT(error(std::vector<uint64_t>(65, 1), ""), HasSubstr("65 dimensions"));
}

TEST(OnnxFileTest, NamesTypesThatAreNotRead) {
  const std::string texts = wire::Tensor("t", 8, {1}, "");
  EXPECT_THAT(OnnxError(wire::Model(wire::Initializer(texts))), HasSubstr("is of string"));
}

TEST(OnnxFileTest, RefusesATensorThatStandsTwice) {
  const std::string one = wire::Initializer(wire::Tensor("t", 2, {1}, wire::Bytes(9, "1")));
  EXPECT_THAT(OnnxError(wire::Model(one + one)), HasSubstr("\"t\" stands twice"));
}

TEST(OnnxFileTest, RefusesATensorWhoseNameIsNotUtf8) {
  EXPECT_THAT(OnnxError(wire::Model(wire::Initializer(wire::Tensor("\xff", 2, {0}, "")))),
              HasSubstr("the name \"\\xff\""));
}

TEST(OnnxFileTest, RefusesSparseTensors) {
  EXPECT_THAT(OnnxError(wire::Model(wire::Bytes(15, ""))), HasSubstr("sparse"));
}

TEST(OnnxFileTest, RefusesWhatIsNoModel) {
  EXPECT_THAT(OnnxError(""), HasSubstr("no model"));
  EXPECT_THAT(OnnxError("no model at all, but text"), HasSubstr("ONNX: the field at byte"));
  EXPECT_THAT(OnnxError(std::string(100, '\xff')), HasSubstr("at byte 0 of 100"));
}

// Each of these takes two bytes here, and more than a hundred in memory.
TEST(OnnxFileTest, RefusesAMillionEmptyNodesBeforeItReadsThem) {
  std::string graph;
  for (int i = 0; i < (1 << 20) + 1; ++i) graph += std::string("\x0a\0", 2);
  EXPECT_THAT(OnnxError(wire::Model(graph)), HasSubstr("more than 1048576 fields"));
}

TEST(OnnxFileTest, WritesWhatItReads) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(OnnxModel model, ParseOnnx(SmallOnnx(), ""));
  model.nodes[0].attributes["f"] = 0.5F;
  model.nodes[0].attributes["s"] = std::string("text");
  model.nodes[0].attributes["fs"] = std::vector<float>{1, 2};
  model.nodes[0].attributes["ss"] = std::vector<std::string>{"a", ""};
  model.nodes[0].attributes["t"] = model.initializers.at("w");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeOnnx(model));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel again, ParseOnnx(bytes, ""));
  EXPECT_EQ(again.nodes[0].attributes, model.nodes[0].attributes);
  EXPECT_EQ(again.initializers, model.initializers);
  EXPECT_EQ(again.metadata, model.metadata);
  EXPECT_EQ(again.inputs[0].shape, model.inputs[0].shape);
  EXPECT_EQ(SerializeOnnx(again).value(), bytes);
  EXPECT_TRUE(LooksLikeOnnx(bytes));
}

TEST(OnnxFileTest, ReadsOrRefusesTenThousandChangedFiles) {
  const std::string whole = SmallOnnx();
  SplitMix64 random(7);
  for (int round = 0; round < 10000; ++round) {
    std::string bytes = whole;
    for (uint64_t change = random.Next() % 4 + 1; change > 0; --change) {
      const size_t place = random.Next() % bytes.size();
      switch (random.Next() % 3) {
        case 0:
          bytes[place] = static_cast<char>(random.Next());
          break;
        case 1:
          bytes.insert(place, 1, static_cast<char>(random.Next()));
          break;
        default:
          bytes.resize(place + 1);
      }
    }
    const auto model = ParseOnnx(bytes, "/nowhere");
    if (model.ok()) {
      ASSERT_THAT(CheckTensors(model->initializers), IsOk());
    } else {
      ASSERT_TRUE(model.status().code() == StatusCode::kInvalidArgument ||
                  model.status().code() == StatusCode::kNotFound)
          << model.status();
    }
  }
}

}  // namespace
}  // namespace facegate
