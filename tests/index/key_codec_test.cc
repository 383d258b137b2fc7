#include "index/key_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/base/coding.h"

namespace facegate {
namespace {

TEST(KeyCodecTest, WritesNumbersBigEndian) {
  EXPECT_EQ(ToHex(EncodeCollectionKey(1)), "0000000000000001");
  EXPECT_EQ(ToHex(EncodeIdentityKey({1, 0x0203})), "00000000000000010000000000000203");
  EXPECT_EQ(ToHex(EncodeTemplateKey({{1, 2}, 0x0405060708090a0b})),
            "000000000000000100000000000000020405060708090a0b");
}

TEST(KeyCodecTest, ReadsBackWhatItWrote) {
  const TemplateKey key{.owner = {.collection = 7, .identity = kUidLimit - 1}, .template_id = 255};
  EXPECT_EQ(DecodeTemplateKey(EncodeTemplateKey(key)), key);
  EXPECT_EQ(DecodeIdentityKey(EncodeIdentityKey(key.owner)), key.owner);
  EXPECT_EQ(DecodeCollectionKey(EncodeCollectionKey(7)), 7u);
}

TEST(KeyCodecTest, OrdersBytesAsNumbers) {
  EXPECT_LT(EncodeTemplateKey({{1, 255}, 9}), EncodeTemplateKey({{1, 256}, 1}));
  EXPECT_LT(EncodeTemplateKey({{1, 256}, 9}), EncodeTemplateKey({{2, 1}, 1}));
  EXPECT_LT(EncodeIdentityKey({3, 4}), EncodeTemplateKey({{3, 4}, 1}));
  EXPECT_LT(EncodeTemplateKey({{3, 4}, kUidLimit - 1}), EncodeIdentityKey({3, 5}));
}

TEST(KeyCodecTest, RefusesWrongLengthsAndNumbersOutOfRange) {
  const std::string key = EncodeTemplateKey({{1, 2}, 3});
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_FALSE(DecodeTemplateKey(key.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeTemplateKey(key + '\0').has_value());
  EXPECT_FALSE(DecodeIdentityKey(key).has_value());
  EXPECT_FALSE(DecodeCollectionKey(EncodeIdentityKey({1, 2})).has_value());
  EXPECT_FALSE(DecodeCollectionKey(EncodeCollectionKey(0)).has_value());
  EXPECT_FALSE(DecodeIdentityKey(EncodeIdentityKey({1, kUidLimit})).has_value());
  EXPECT_FALSE(DecodeTemplateKey(EncodeTemplateKey({{0, 1}, 1})).has_value());
}

TEST(KeyCodecTest, DescribesRecordsByNumbers) {
  const TemplateKey key{.owner = {.collection = 1, .identity = 20}, .template_id = 3};
  EXPECT_EQ(DescribeKey(uint64_t{1}), "collection record at collection 1");
  EXPECT_EQ(DescribeKey(key.owner), "identity record at collection 1, identity 20");
  EXPECT_EQ(DescribeKey(key), "template record at collection 1, identity 20, template 3");
  EXPECT_EQ(LargestUid(uint64_t{1}), 1u);
  EXPECT_EQ(LargestUid(key.owner), 20u);
  EXPECT_EQ(LargestUid(key), 20u);
}

TEST(KeyCodecTest, NamesFamiliesDistinctly) {
  std::vector<std::string> names;
  for (const Family family : kFamilies) names.push_back(FamilyName(family));
  EXPECT_THAT(names, ::testing::ElementsAre("meta", "collections", "identities", "templates", "requests"));
}

}  // namespace
}  // namespace facegate
