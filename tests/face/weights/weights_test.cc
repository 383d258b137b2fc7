#include "face/weights/weights.h"

#include <gtest/gtest.h>

#include <limits>

#include "face/base/coding.h"
#include "face/base/sha256.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

TensorMap TwoTensors() {
  return {{"b.weight", {.dtype = DType::kF32, .shape = {2}, .bytes = FloatBytes({1.0F, -2.5F})}},
          {"a", {.dtype = DType::kI64, .shape = {}, .bytes = std::string("\7\0\0\0\0\0\0\0", 8)}}};
}

TEST(DTypeTest, EveryNameReadsBackAsItsType) {
  const std::vector<std::pair<std::string_view, size_t>> expected = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},   {"I16", 2}, {"I32", 4},
      {"I64", 8},  {"F16", 2}, {"BF16", 2}, {"F32", 4}, {"F64", 8}};
  for (const auto& [name, size] : expected) {
    const std::optional<DType> dtype = DTypeFromName(name);
    ASSERT_TRUE(dtype.has_value()) << name;
    EXPECT_EQ(DTypeName(*dtype), name);
    EXPECT_EQ(SizeOf(*dtype), size) << name;
  }
  EXPECT_FALSE(DTypeFromName("f32").has_value());
  EXPECT_FALSE(DTypeFromName("").has_value());
}

TEST(ElementCountTest, MultipliesExtentsAndRefusesOverflow) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(ElementCount({}), 1);
  EXPECT_EQ(ElementCount(std::vector<int64_t>{2, 3, 4}), 24);
  EXPECT_EQ(ElementCount(std::vector<int64_t>{5, 0, 4}), 0);
  EXPECT_EQ(ElementCount(std::vector<int64_t>{kHuge}), kHuge);
  EXPECT_EQ(ElementCount(std::vector<int64_t>{kHuge, 2}), std::nullopt);
  EXPECT_EQ(ElementCount(std::vector<int64_t>{0, kHuge, 2}), std::nullopt);
  EXPECT_EQ(ElementCount(std::vector<int64_t>{-1, 0}), std::nullopt);
  EXPECT_EQ((Tensor{.dtype = DType::kF32, .shape = {-1}, .bytes = {}}.element_count()), -1);
}

TEST(ModelDigestTest, HashesExactlyTheDocumentedBytes) {
  std::string layout;
  const auto part = [&](std::string_view bytes) {
    AppendLittleEndian(layout, static_cast<uint64_t>(bytes.size()));
    layout += bytes;
  };
  part("net-1");
  part("a");
  part("I64");
  part("");
  part(std::string_view("\7\0\0\0\0\0\0\0", 8));
  part("b.weight");
  part("F32");
  part(std::string_view("\2\0\0\0\0\0\0\0", 8));
  part(FloatBytes({1.0F, -2.5F}));
  EXPECT_EQ(ModelDigest("net-1", TwoTensors()), Sha256Hex(layout));
}

TEST(ModelDigestTest, StaysWhatStoredDigestsWereMadeWith) {
  EXPECT_EQ(ModelDigest("net-1", TwoTensors()),
            "a84dcbacdb24b8e3869c0331e810887a5a9c734ec96c7c929120253417ab431d");
}

TEST(ModelDigestTest, ChangesWithEachThingThatEnters) {
  const std::string digest = ModelDigest("net-1", TwoTensors());
  EXPECT_NE(ModelDigest("net-2", TwoTensors()), digest);
  TensorMap renamed = TwoTensors();
  auto node = renamed.extract("a");
  node.key() = "aa";
  renamed.insert(std::move(node));
  EXPECT_NE(ModelDigest("net-1", renamed), digest);
  TensorMap reshaped = TwoTensors();
  reshaped["b.weight"].shape = {1, 2};
  EXPECT_NE(ModelDigest("net-1", reshaped), digest);
  TensorMap retyped = TwoTensors();
  retyped["b.weight"].dtype = DType::kI32;
  EXPECT_NE(ModelDigest("net-1", retyped), digest);
  TensorMap changed = TwoTensors();
  changed["b.weight"].bytes[0] = '\1';
  EXPECT_NE(ModelDigest("net-1", changed), digest);
}

}  // namespace
}  // namespace facegate
