#include "face/base/base64.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(Base64Test, IsThatOfRfc4648) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xff\xfe"), "//4=");
}

TEST(Base64UrlTest, ComesBackAsItWas) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(DecodeBase64Url(Base64Url(bytes)), bytes);
    bytes.push_back(static_cast<char>(i));
  }
  EXPECT_EQ(Base64Url("\xff\xfe"), "__4");
}

TEST(Base64UrlTest, RefusesWhatTheEncoderDoesNotWrite) {
  for (const char* text : {"__4=", "//4", "__4 ", " __4", "__5", "_", "A", "__4."}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace facegate
