#include "face/image/exif.h"

#include <gmock/gmock.h>

#include "face/base/coding.h"
#include "tests/support/encoded_image.h"

namespace facegate {
namespace {

// Offsets in a TiffBlock: byte order, 42, offset of the directory, gap, count, first entry, second
// entry.
constexpr size_t kDirectoryOffset = 4;
constexpr size_t kCount = 10;
constexpr size_t kOrientationType = 26;
constexpr size_t kOrientationCount = 28;
constexpr size_t kOrientationValue = 32;

TEST(ExifTest, ReadsTheOrientationInBothByteOrdersWithAndWithoutThePrefix) {
  for (const bool big_endian : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      const std::string block = TiffBlock(orientation, big_endian);
      EXPECT_EQ(ExifOrientation(block), orientation);
      EXPECT_EQ(ExifOrientation(std::string("Exif\0\0", 6) + block), orientation);
    }
  }
}

TEST(ExifTest, TakesValuesOutOfRangeAsUpright) {
  for (const int orientation : {0, 9, 255, 65535}) {
    EXPECT_EQ(ExifOrientation(TiffBlock(orientation, true)), 1) << orientation;
  }
}

TEST(ExifTest, ReadsALongAndRefusesOtherTypesAndCounts) {
  std::string block = TiffBlock(6, false);
  block[kOrientationType] = 4;  // LONG: its low bytes come first
  EXPECT_EQ(ExifOrientation(block), 6);
  block[kOrientationType] = 2;  // ASCII
  EXPECT_EQ(ExifOrientation(block), 1);
  block = TiffBlock(6, false);
  block[kOrientationCount] = 2;
  EXPECT_EQ(ExifOrientation(block), 1);
}

TEST(ExifTest, TakesABlockWithoutTheTagAsUpright) {
  std::string block = TiffBlock(6, true);
  block[kCount + 1] = 1;  // the directory ends before the tag
  EXPECT_EQ(ExifOrientation(block), 1);
  EXPECT_EQ(ExifOrientation(""), 1);
  EXPECT_EQ(ExifOrientation("not a TIFF header at all"), 1);
}

TEST(ExifTest, SurvivesOffsetsAndCountsThatLeaveTheBlock) {
  for (const uint32_t offset : {8U, 33U, 47U, 48U, 0x7fffffffU, 0xfffffff0U, 0xffffffffU}) {
    std::string field;
    AppendLittleEndian(field, offset);
    std::string block = TiffBlock(6, false);
    block.replace(kDirectoryOffset, 4, field);
    const int orientation = ExifOrientation(block);
    EXPECT_TRUE(orientation >= 1 && orientation <= 8) << offset;
  }
  std::string endless = TiffBlock(9, false);
  endless[kCount] = endless[kCount + 1] = '\xff';
  EXPECT_EQ(ExifOrientation(endless), 1);
}

TEST(ExifTest, FindsNothingInABlockThatIsCutBeforeTheValue) {
  const std::string block = TiffBlock(6, false);
  for (size_t size = 0; size <= block.size(); ++size) {
    const int expected = size >= kOrientationValue + 2 ? 6 : 1;
    EXPECT_EQ(ExifOrientation(std::string_view(block).substr(0, size)), expected) << size;
  }
}

}  // namespace
}  // namespace facegate
