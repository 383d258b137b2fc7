#include "index/store/key_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/base/coding.h"

namespace facegate {
namespace {

TEST(KeyCodecTest, WritesNumbersBigEndian) {
  EXPECT_EQ(ToHex(EncodeCollectionKey(1)), "0000000000000001");
  EXPECT_EQ(ToHex(EncodeIdentityKey({1, 0x0203})), "00000000000000010000000000000203");
  EXPECT_EQ(ToHex(EncodeTemplateKey({{1, 2}, 0x03040506, 0x0708090a0b0c0d0e})),
            "00000000000000010000000000000002030405060708090a0b0c0d0e");
  EXPECT_EQ(ToHex(EncodeCropKey({{1, 2}, 0x0405060708090a0b})),
            "000000000000000100000000000000020405060708090a0b");
}

TEST(KeyCodecTest, ReadsBackWhatItWrote) {
  const TemplateKey key{.owner = {.collection = 7, .identity = kUidLimit - 1},
                        .generation = UINT32_MAX,
                        .template_id = 255};
  const FaceKey face{.owner = key.owner, .template_id = 255};
  EXPECT_EQ(DecodeTemplateKey(EncodeTemplateKey(key)), key);
  EXPECT_EQ(DecodeCropKey(EncodeCropKey(face)), face);
  EXPECT_EQ(DecodeIdentityKey(EncodeIdentityKey(key.owner)), key.owner);
  EXPECT_EQ(DecodeCollectionKey(EncodeCollectionKey(7)), 7u);
}

TEST(KeyCodecTest, OrdersBytesAsNumbers) {
  EXPECT_LT(EncodeTemplateKey({{1, 255}, 2, 9}), EncodeTemplateKey({{1, 256}, 0, 1}));
  EXPECT_LT(EncodeTemplateKey({{1, 256}, 2, 9}), EncodeTemplateKey({{2, 1}, 0, 1}));
  EXPECT_LT(EncodeTemplateKey({{1, 2}, 255, 9}), EncodeTemplateKey({{1, 2}, 256, 1}));
  EXPECT_LT(EncodeIdentityKey({3, 4}), EncodeTemplateKey({{3, 4}, 0, 1}));
  EXPECT_LT(EncodeTemplateKey({{3, 4}, UINT32_MAX, kUidLimit - 1}), EncodeIdentityKey({3, 5}));
  EXPECT_LT(EncodeCropKey({{3, 4}, kUidLimit - 1}), EncodeIdentityKey({3, 5}));
}

TEST(KeyCodecTest, RefusesWrongLengthsAndNumbersOutOfRange) {
  const std::string key = EncodeTemplateKey({{1, 2}, 0, 3});
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_FALSE(DecodeTemplateKey(key.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeTemplateKey(key + '\0').has_value());
  EXPECT_FALSE(DecodeIdentityKey(key).has_value());
  EXPECT_FALSE(DecodeCollectionKey(EncodeIdentityKey({1, 2})).has_value());
  EXPECT_FALSE(DecodeCollectionKey(EncodeCollectionKey(0)).has_value());
  EXPECT_FALSE(DecodeIdentityKey(EncodeIdentityKey({1, kUidLimit})).has_value());
  EXPECT_FALSE(DecodeTemplateKey(EncodeTemplateKey({{0, 1}, 0, 1})).has_value());
  EXPECT_FALSE(DecodeTemplateKey(EncodeTemplateKey({{1, 1}, 7, 0})).has_value());
}

TEST(KeyCodecTest, RefusesCropKeysOfWrongLengthsAndNumbers) {
  const std::string key = EncodeCropKey({{1, 2}, 3});
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_FALSE(DecodeCropKey(key.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeCropKey(EncodeTemplateKey({{1, 2}, 0, 3})).has_value());
  EXPECT_FALSE(DecodeCropKey(EncodeCropKey({{1, 0}, 3})).has_value());
  EXPECT_FALSE(DecodeCropKey(EncodeCropKey({{1, 2}, kUidLimit})).has_value());
}

TEST(KeyCodecTest, DescribesRecordsByNumbers) {
  TemplateKey key{.owner = {.collection = 1, .identity = 20}, .template_id = 3};
  const FaceKey face{.owner = key.owner, .template_id = 30};
  EXPECT_EQ(DescribeKey(uint64_t{1}), "collection record at collection 1");
  EXPECT_EQ(DescribeKey(key.owner), "identity record at collection 1, identity 20");
  EXPECT_EQ(DescribeKey(key), "template record at collection 1, identity 20, template 3");
  EXPECT_EQ(LargestUid(uint64_t{1}), 1u);
  EXPECT_EQ(LargestUid(key.owner), 20u);
  EXPECT_EQ(LargestUid(key), 20u);
  EXPECT_EQ(DescribeKey(face), "crop at collection 1, identity 20, template 30");
  EXPECT_EQ(LargestUid(face), 30u);
  key.generation = 99;
  EXPECT_EQ(DescribeKey(key),
            "template record at collection 1, identity 20, template 3 of generation 99");
  EXPECT_EQ(LargestUid(key), 20u) << "a generation is no such number";
}

RequestId IdOf(uint8_t first, uint8_t last) {
  RequestId id;
  id.bytes.front() = first;
  id.bytes.back() = last;
  return id;
}

TEST(KeyCodecTest, WritesRequestsBelowTheirOwner) {
  const RequestKey key{.owner = {.collection = 1, .identity = 0x0203}, .id = IdOf(0xab, 0xcd)};
  EXPECT_EQ(ToHex(EncodeRequestKey(key)),
            "00000000000000010000000000000203ab0000000000000000000000000000cd");
}

TEST(KeyCodecTest, ReadsBackRequestKeysWithAndWithoutAnOwner) {
  for (const IdentityKey& owner :
       {IdentityKey{7, kUidLimit - 1}, IdentityKey{kUidLimit - 1, 0}, IdentityKey{0, 0}}) {
    const RequestKey key{.owner = owner, .id = IdOf(0, 1)};
    EXPECT_EQ(DecodeRequestKey(EncodeRequestKey(key)), key);
    EXPECT_EQ(LargestUid(key), LargestUid(owner));
  }
}

TEST(KeyCodecTest, OrdersRequestsAsTheirKeys) {
  const std::vector<RequestKey> in_order{{{0, 0}, IdOf(0, 1)},    {{0, 0}, IdOf(0xff, 0)},
                                         {{1, 0}, IdOf(0, 1)},    {{1, 2}, IdOf(0, 1)},
                                         {{1, 2}, IdOf(0x7f, 0)}, {{1, 2}, IdOf(0x80, 0)},
                                         {{1, 3}, IdOf(0, 1)},    {{1, 255}, IdOf(0xff, 0)},
                                         {{1, 256}, IdOf(0, 1)},  {{2, 0}, IdOf(0, 1)}};
  for (size_t i = 1; i < in_order.size(); ++i) {
    EXPECT_LT(in_order[i - 1], in_order[i]) << i;
    EXPECT_LT(EncodeRequestKey(in_order[i - 1]), EncodeRequestKey(in_order[i])) << i;
  }
  // The owner's key is the lower bound of its requests, the next one's the end.
  EXPECT_LT(EncodeIdentityKey({1, 2}), EncodeRequestKey({{1, 2}, IdOf(0, 0)}));
  EXPECT_LT(EncodeRequestKey({{1, 2}, IdOf(0xff, 0xff)}), EncodeIdentityKey({1, 3}));
  EXPECT_LT(EncodeRequestKey({{1, kUidLimit - 1}, IdOf(0xff, 0)}), EncodeCollectionKey(2));
}

TEST(KeyCodecTest, RefusesRequestKeysOfWrongLengthsAndNumbers) {
  const std::string key = EncodeRequestKey({{1, 2}, IdOf(3, 4)});
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_FALSE(DecodeRequestKey(key.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeRequestKey(key + '\0').has_value());
  EXPECT_FALSE(DecodeRequestKey(EncodeRequestKey({{0, 2}, IdOf(3, 4)})).has_value())
      << "an identity of no collection";
  EXPECT_FALSE(DecodeRequestKey(EncodeRequestKey({{kUidLimit, 2}, IdOf(3, 4)})).has_value());
  EXPECT_FALSE(DecodeRequestKey(EncodeRequestKey({{1, kUidLimit}, IdOf(3, 4)})).has_value());
  EXPECT_FALSE(DecodeRequestKey(EncodeRequestKey({{1, 2}, RequestId{}})).has_value())
      << "no client can have sent all zeros";
}

TEST(KeyCodecTest, DescribesRequestsWithoutTheirId) {
  RequestId id;
  id.bytes.fill(0x77);
  EXPECT_EQ(DescribeKey(RequestKey{.owner = {.collection = 1, .identity = 2}, .id = id}),
            "request record at collection 1, identity 2");
}

TEST(KeyCodecTest, NamesFamiliesDistinctly) {
  std::vector<std::string> names;
  for (const Family family : kFamilies) names.push_back(FamilyName(family));
  EXPECT_THAT(names, ::testing::ElementsAre("meta", "collections", "identities", "templates",
                                            "requests", "crops"));
}

}  // namespace
}  // namespace facegate
