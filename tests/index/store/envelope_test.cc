#include "index/store/envelope.h"

#include <gtest/gtest.h>

#include "face/base/coding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

constexpr Family kFamily = Family::kTemplates;
constexpr std::string_view kKey = "key";
constexpr std::string_view kPayload = "payload";

// An envelope as the grammar says, with a sum that matches.
std::string Build(uint8_t version, uint8_t cipher, uint32_t key_id, std::string_view nonce,
                  std::string_view payload) {
  std::string value;
  AppendLittleEndian(value, version);
  AppendLittleEndian(value, cipher);
  AppendLittleEndian(value, key_id);
  AppendLittleEndian(value, static_cast<uint8_t>(nonce.size()));
  value.append(nonce).append(payload);
  std::string summed(1, static_cast<char>(kFamily));
  summed.append(kKey).append(value);
  AppendLittleEndian(value, Crc32c(summed));
  return value;
}

TEST(EnvelopeTest, WritesTheGrammarOfItsHeader) {
  EXPECT_EQ(SealEnvelope(kFamily, kKey, kPayload), Build(1, 0, 0, "", kPayload));
}

TEST(EnvelopeTest, GivesBackThePayload) {
  for (const std::string& payload : {std::string(), std::string("x"), std::string(5000, '\xff')}) {
    const std::string value = SealEnvelope(kFamily, kKey, payload);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string_view opened,
                                  OpenEnvelope(kFamily, kKey, value));
    EXPECT_EQ(opened, payload);
  }
}

TEST(EnvelopeTest, FindsEveryFlippedBit) {
  const std::string value = SealEnvelope(kFamily, kKey, kPayload);
  for (size_t bit = 0; bit < 8 * value.size(); ++bit) {
    std::string damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_THAT(OpenEnvelope(kFamily, kKey, damaged), RefusedWith(Reason::kStoreCorrupt)) << bit;
  }
}

TEST(EnvelopeTest, FindsEveryTruncationAndExtension) {
  const std::string value = SealEnvelope(kFamily, kKey, kPayload);
  for (size_t size = 0; size < value.size(); ++size) {
    EXPECT_THAT(OpenEnvelope(kFamily, kKey, value.substr(0, size)),
                RefusedWith(Reason::kStoreCorrupt))
        << size;
  }
  EXPECT_THAT(OpenEnvelope(kFamily, kKey, value + '\0'), RefusedWith(Reason::kStoreCorrupt));
}

TEST(EnvelopeTest, FindsValueUnderAnotherKeyOrFamily) {
  const std::string value = SealEnvelope(kFamily, kKey, kPayload);
  EXPECT_THAT(OpenEnvelope(kFamily, "kez", value), RefusedWith(Reason::kStoreCorrupt));
  EXPECT_THAT(OpenEnvelope(Family::kIdentities, kKey, value), RefusedWith(Reason::kStoreCorrupt));
}

TEST(EnvelopeTest, RefusesCipherAndVersionThatItCannotRead) {
  const std::string encrypted = Build(1, 1, 3, "twelve bytes", "....");
  EXPECT_THAT(OpenEnvelope(kFamily, kKey, encrypted), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_NE(OpenEnvelope(kFamily, kKey, encrypted).status().ToString().find("cipher 1, key 3"),
            std::string::npos);
  EXPECT_THAT(OpenEnvelope(kFamily, kKey, Build(2, 0, 0, "", kPayload)),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(EnvelopeTest, RefusesPlainValueWithKeyOrNonce) {
  EXPECT_THAT(OpenEnvelope(kFamily, kKey, Build(1, 0, 1, "", kPayload)),
              RefusedWith(Reason::kStoreCorrupt));
  EXPECT_THAT(OpenEnvelope(kFamily, kKey, Build(1, 0, 0, "n", kPayload)),
              RefusedWith(Reason::kStoreCorrupt));
}

}  // namespace
}  // namespace facegate
