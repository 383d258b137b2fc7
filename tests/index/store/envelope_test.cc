#include "index/store/envelope.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "face/base/coding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

constexpr Family kFamily = Family::kTemplates;
constexpr std::string_view kKey = "key";
constexpr std::string_view kPayload = "payload";

// An envelope as the grammar says, with a sum that matches. The type of `key_id` is that of the
// version.
template <typename KeyId>
std::string Build(uint8_t version, uint8_t cipher, KeyId key_id, std::string_view nonce,
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
  EXPECT_EQ(SealEnvelope(kFamily, kKey, kPayload), Build(2, 0, uint64_t{0}, "", kPayload));
}

TEST(EnvelopeTest, ReadsTheFirstVersionWithItsShortKeyId) {
  for (const std::string& payload : {std::string(), std::string("x"), std::string(5000, '\xff')}) {
    const std::string value = Build(1, 0, uint32_t{0}, "", payload);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string_view opened,
                                  OpenEnvelope(kFamily, kKey, value));
    EXPECT_EQ(opened, payload);
  }
}

TEST(EnvelopeTest, FindsEveryFlippedBitOfTheFirstVersion) {
  const std::string value = Build(1, 0, uint32_t{0}, "", kPayload);
  for (size_t bit = 0; bit < 8 * value.size(); ++bit) {
    std::string damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_THAT(OpenEnvelope(kFamily, kKey, damaged), RefusedWith(Reason::kStoreCorrupt)) << bit;
  }
}

// The sum matches, but the header is longer than what is there.
TEST(EnvelopeTest, FindsAHeaderThatIsCutOff) {
  for (const uint8_t version : {uint8_t{1}, uint8_t{2}}) {
    for (size_t size = 0; size < 10; ++size) {
      std::string value{static_cast<char>(version)};
      value.append(size, '\0');
      std::string summed(1, static_cast<char>(kFamily));
      AppendLittleEndian(value, Crc32c(summed.append(kKey).append(value)));
      const auto opened = OpenEnvelope(kFamily, kKey, value);
      if (version == 1 && size >= 6) {
        EXPECT_THAT(opened, IsOk()) << size;
      } else {
        EXPECT_THAT(opened, RefusedWith(Reason::kStoreCorrupt)) << size;
      }
    }
  }
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
  for (const auto& [encrypted, words] :
       {std::pair{Build(2, 1, uint64_t{0x123456789a}, "twelve bytes", "...."),
                  "cipher 1, key 78187493530"},
        {Build(1, 1, uint32_t{3}, "twelve bytes", "...."), "cipher 1, key 3"}}) {
    const Status status = OpenEnvelope(kFamily, kKey, encrypted).status();
    EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
    EXPECT_NE(MessageOf(status).find(words), std::string_view::npos) << status;
  }
  EXPECT_THAT(OpenEnvelope(kFamily, kKey, Build(3, 0, uint64_t{0}, "", kPayload)),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(EnvelopeTest, RefusesPlainValueWithKeyOrNonce) {
  for (const std::string& odd :
       {Build(2, 0, uint64_t{1} << 40, "", kPayload), Build(2, 0, uint64_t{0}, "n", kPayload),
        Build(1, 0, uint32_t{1}, "", kPayload), Build(1, 0, uint32_t{0}, "n", kPayload)}) {
    EXPECT_THAT(OpenEnvelope(kFamily, kKey, odd), RefusedWith(Reason::kStoreCorrupt));
  }
}

}  // namespace
}  // namespace facegate
