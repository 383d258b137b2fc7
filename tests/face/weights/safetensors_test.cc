#include "face/weights/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "face/base/coding.h"
#include "tests/support/status_matchers.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// A file with this header, as it stands, and `data_bytes` bytes of data.
std::string FileOf(std::string_view header, size_t data_bytes) {
  std::string bytes;
  AppendLittleEndian(bytes, static_cast<uint64_t>(header.size()));
  return bytes + std::string(header) + std::string(data_bytes, 'd');
}

std::string HeaderError(std::string_view header, size_t data_bytes) {
  const auto parsed = ParseSafetensors(FileOf(header, data_bytes));
  EXPECT_THAT(parsed, StatusIs(StatusCode::kInvalidArgument)) << header;
  return parsed.ok() ? "" : std::string(MessageOf(parsed.status()));
}

Safetensors SampleTensors() {
  Safetensors file;
  file.tensors["odd"] = {.dtype = DType::kU8, .shape = {3}, .bytes = "abc"};
  file.tensors["w"] = {.dtype = DType::kF32, .shape = {1, 2}, .bytes = FloatBytes({1.0F, 2.0F})};
  file.tensors["half"] = {.dtype = DType::kF16, .shape = {2}, .bytes = "hhHH"};
  file.tensors["brain"] = {.dtype = DType::kBF16, .shape = {1}, .bytes = "bf"};
  file.tensors["steps"] = {.dtype = DType::kI64, .shape = {}, .bytes = std::string(8, '\1')};
  file.tensors["none"] = {.dtype = DType::kF32, .shape = {0, 7}, .bytes = ""};
  file.metadata = {{"k\"ey", "v\nalue \xc3\xa4"}, {"card", "{}"}};
  return file;
}

TEST(SafetensorsTest, ReadsBackWhatItWrote) {
  const Safetensors sample = SampleTensors();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Safetensors read,
                                ParseSafetensors(SerializeSafetensors(sample)));
  EXPECT_EQ(read.tensors, sample.tensors);
  EXPECT_EQ(read.metadata, sample.metadata);
}

TEST(SafetensorsTest, WritesTheSameBytesEachTimeAndAlignsTheData) {
  const std::string bytes = SerializeSafetensors(SampleTensors());
  EXPECT_EQ(bytes, SerializeSafetensors(SampleTensors()));
  std::string_view rest = bytes;
  const uint64_t header = *TakeLittleEndian<uint64_t>(rest);
  EXPECT_EQ(header % 8, 0U);
  // Falling element sizes: i64, then f32, then the 16-bit ones, then u8.
  EXPECT_EQ(rest.substr(header), std::string(8, '\1') + FloatBytes({1.0F, 2.0F}) + "bfhhHHabc");
}

TEST(SafetensorsTest, WritesTheDocumentedHeader) {
  Safetensors file;
  file.tensors["a"] = {.dtype = DType::kF32, .shape = {2, 1}, .bytes = FloatBytes({0.0F, 0.0F})};
  file.metadata["m"] = "x";
  const std::string header =
      R"({"__metadata__":{"m":"x"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(SerializeSafetensors(file).substr(8, header.size() + padding.size()), header + padding);
}

TEST(SafetensorsTest, ReadsAFileWithoutTensors) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Safetensors read, ParseSafetensors(FileOf("{}", 0)));
  EXPECT_TRUE(read.tensors.empty());
}

TEST(SafetensorsTest, TellsItsFilesFromOthers) {
  EXPECT_TRUE(LooksLikeSafetensors(SerializeSafetensors(SampleTensors())));
  EXPECT_FALSE(LooksLikeSafetensors("PK\x03\x04 something longer"));
  EXPECT_FALSE(LooksLikeSafetensors(""));
  EXPECT_FALSE(LooksLikeSafetensors(FileOf("[]", 0)));
}

TEST(SafetensorsTest, RefusesRangesThatDoNotCoverTheData) {
  constexpr std::string_view kTwo = R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":[{},{}]}},)"
                                    R"("b":{{"dtype":"U8","shape":[4],"data_offsets":[{},{}]}}}})";
  const auto two = [&](uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return fmt::format(fmt::runtime(kTwo), a, b, c, d);
  };
  EXPECT_THAT(ParseSafetensors(FileOf(two(4, 8, 0, 4), 8)), IsOk());
  EXPECT_THAT(HeaderError(two(0, 4, 5, 9), 9), HasSubstr("hole from byte 4"));
  EXPECT_THAT(HeaderError(two(0, 4, 2, 6), 8), HasSubstr("inside the one that ends at byte 4"));
  EXPECT_THAT(HeaderError(two(0, 4, 0, 4), 4), HasSubstr("inside"));
  EXPECT_THAT(HeaderError(two(1, 5, 5, 9), 9), HasSubstr("hole from byte 0"));
  EXPECT_THAT(HeaderError(two(0, 4, 4, 8), 9), HasSubstr("need 8 bytes of data, the file has 9"));
  EXPECT_THAT(HeaderError(two(0, 4, 4, 8), 7), HasSubstr("the file has 7"));
  EXPECT_THAT(HeaderError(two(4, 0, 4, 8), 8), HasSubstr("its range is 4 to 0"));
  EXPECT_THAT(HeaderError(two(0, 3, 3, 7), 7), HasSubstr("needs 4 bytes"));
}

TEST(SafetensorsTest, RefusesShapesThatOverflow) {
  const auto with_shape = [](std::string_view dtype, std::string_view shape) {
    return fmt::format(R"({{"a":{{"dtype":"{}","shape":{},"data_offsets":[0,0]}}}})", dtype, shape);
  };
  EXPECT_THAT(HeaderError(with_shape("F64", "[9223372036854775807,2]"), 0), HasSubstr("beyond"));
  EXPECT_THAT(HeaderError(with_shape("F64", "[4294967296,4294967296]"), 0), HasSubstr("beyond"));
  EXPECT_THAT(HeaderError(with_shape("F64", "[4611686018427387904]"), 0), HasSubstr("beyond"));
  EXPECT_THAT(HeaderError(with_shape("U8", "[9223372036854775808]"), 0), HasSubstr("2^63"));
  EXPECT_THAT(HeaderError(with_shape("U8", "[99999999999999999999]"), 0), HasSubstr("64 bits"));
  EXPECT_THAT(HeaderError(with_shape("U8", "[-1]"), 0), HasSubstr("negative"));
  EXPECT_THAT(HeaderError(with_shape("U8", "[1e0]"), 0), HasSubstr("not a whole number"));
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) many += ",1";
  EXPECT_THAT(HeaderError(with_shape("U8", many + "]"), 1), HasSubstr("more than 64 dimensions"));
}

TEST(SafetensorsTest, RefusesHeadersOfAnotherShape) {
  constexpr std::string_view kEntry = R"("dtype":"U8","shape":[],"data_offsets":[0,1])";
  const auto entry = [](std::string_view fields) {
    return fmt::format(R"({{"a":{{{}}}}})", fields);
  };
  EXPECT_THAT(ParseSafetensors(FileOf(entry(kEntry), 1)), IsOk());
  EXPECT_THAT(HeaderError(fmt::format(R"({{"a":{{{0}}},"a":{{{0}}}}})", kEntry), 1),
              HasSubstr("stands twice"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1])"), 1),
              HasSubstr("stands twice"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"Q4","shape":[],"data_offsets":[0,1])"), 1),
              HasSubstr("\"Q4\" is unknown"));
  EXPECT_THAT(HeaderError(entry(R"("shape":[],"data_offsets":[0,1])"), 1), HasSubstr("no dtype"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"U8","data_offsets":[0,1])"), 1), HasSubstr("no shape"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"U8","shape":[])"), 1), HasSubstr("data_offsets"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"U8","shape":[],"data_offsets":[0])"), 1),
              HasSubstr("two numbers"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"U8","shape":[],"data_offsets":[0,1,1])"), 1),
              HasSubstr("more than two"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"U8","shape":[],"data_offsets":[-1,1])"), 1),
              HasSubstr("negative"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":"U8","shape":[[1]],"data_offsets":[0,1])"), 1),
              HasSubstr("array stands where none belongs"));
  EXPECT_THAT(HeaderError(entry(R"("dtype":null,"shape":[],"data_offsets":[0,1])"), 1),
              HasSubstr("null"));
  EXPECT_THAT(HeaderError(R"({"__metadata__":{"a":1}})", 0), HasSubstr("number 1"));
  EXPECT_THAT(HeaderError(R"({"__metadata__":{"a":"1","a":"2"}})", 0), HasSubstr("stands twice"));
  EXPECT_THAT(HeaderError(R"({"__metadata__":{},"__metadata__":{}})", 0),
              HasSubstr("stands twice"));
  EXPECT_THAT(HeaderError(R"({"":{}})", 0), HasSubstr("empty name"));
  EXPECT_THAT(HeaderError(R"({"a":[]})", 0), HasSubstr("array stands where none belongs"));
  EXPECT_THAT(HeaderError("{\"\xff\":{}}", 0), HasSubstr("no JSON"));
  EXPECT_THAT(HeaderError("{", 0), HasSubstr("no JSON"));
  EXPECT_THAT(HeaderError("{}{}", 0), HasSubstr("no JSON"));
  EXPECT_THAT(HeaderError(" {}", 0), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(HeaderError("", 0), HasSubstr("does not begin with '{'"));
}

TEST(SafetensorsTest, SurvivesDeepNesting) {
  EXPECT_THAT(HeaderError("{\"a\":" + std::string(5'000'000, '['), 0),
              HasSubstr("where none belongs"));
  std::string objects = "{";
  for (int i = 0; i < 100'000; ++i) objects += "\"a\":{";
  EXPECT_THAT(HeaderError(objects, 0), HasSubstr("unknown"));
}

TEST(SafetensorsTest, RefusesHeaderLengthsThatCannotBe) {
  std::string large;
  AppendLittleEndian(large, uint64_t{100'000'001});
  EXPECT_THAT(ParseSafetensors(large).status().ToString(), HasSubstr("limit is 100000000"));
  std::string beyond;
  AppendLittleEndian(beyond, ~uint64_t{0});
  EXPECT_THAT(ParseSafetensors(beyond), StatusIs(StatusCode::kInvalidArgument));
  std::string past;
  AppendLittleEndian(past, uint64_t{3});
  EXPECT_THAT(ParseSafetensors(past + "{}").status().ToString(), HasSubstr("2 are left"));
}

TEST(SafetensorsTest, RefusesEveryTruncation) {
  const std::string bytes = SerializeSafetensors(SampleTensors());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(ParseSafetensors(std::string_view(bytes).substr(0, size)),
                StatusIs(StatusCode::kInvalidArgument))
        << size;
  }
}

TEST(SafetensorsTest, SurvivesEveryBitFlip) {
  const std::string bytes = SerializeSafetensors(SampleTensors());
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string flipped = bytes;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    const auto parsed = ParseSafetensors(flipped);
    if (!parsed.ok()) {
      EXPECT_THAT(parsed, StatusIs(StatusCode::kInvalidArgument));
      continue;
    }
    for (const auto& [name, tensor] : parsed->tensors) {
      EXPECT_EQ(tensor.bytes.size(),
                static_cast<size_t>(tensor.element_count()) * SizeOf(tensor.dtype));
    }
  }
}

}  // namespace
}  // namespace facegate
