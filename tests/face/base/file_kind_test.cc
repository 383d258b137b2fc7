#include "face/base/file_kind.h"

#include <gtest/gtest.h>

#include <string>

namespace facegate {
namespace {

TEST(FileKindTest, KnowsMagicsWhereverTheyStand) {
  EXPECT_EQ(FileKindName("PK\x03\x04"), "a zip archive");
  EXPECT_EQ(FileKindName(std::string(257, '\0') + "ustar"), "a tar archive");
  EXPECT_EQ(FileKindName(std::string(16, '\0') + "\xde\xc0\xef\xbe"), "an LMDB database");
  EXPECT_EQ(FileKindName(std::string("\0\0\0\0TFL3", 8)), "a TensorFlow Lite model");
}

TEST(FileKindTest, TellsProtocolBuffersByTheirFirstFields) {
  EXPECT_EQ(FileKindName("\x08\x08\x12\x07pytorch"), "an ONNX model");
  EXPECT_EQ(FileKindName("\x08\x01\x12\x90\x01"), "a TensorFlow SavedModel");
  EXPECT_EQ(FileKindName("\x0a\x20\x0a\x05input"), "a frozen TensorFlow graph (.pb)");
}

TEST(FileKindTest, SaysNothingOfOtherBytes) {
  for (const char* bytes :
       {"", "P", "a.jpg 0\nb.jpg 1\n", "\x80\x02\x8a", "\x08\x20\x30\x40\x50"}) {
    EXPECT_EQ(FileKindName(bytes), "") << bytes;
  }
}

}  // namespace
}  // namespace facegate
