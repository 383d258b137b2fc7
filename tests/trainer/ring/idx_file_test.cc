#include "trainer/photos/idx_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "face/base/file.h"
#include "tests/support/set_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Gzipped(const std::string& bytes) { return Deflated(bytes, DeflateFrame::kGzip); }

void ExpectRefused(const std::string& bytes, const std::string& why) {
  const auto array = ParseIdx(bytes);
  EXPECT_THAT(array, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(array.status())), HasSubstr(why));
}

TEST(IdxFileTest, ReadsExtentsAndElements) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const IdxArray array, ParseIdx(IdxBytes({2, 3}, "abcdef")));
  EXPECT_THAT(array.shape, ElementsAre(2U, 3U));
  EXPECT_EQ(array.bytes, "abcdef");
}

TEST(IdxFileTest, ReadsGzippedFilesOfOneOrMoreStreams) {
  const std::string plain = IdxBytes({70'000}, std::string(70'000, 'x'));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const IdxArray one, ParseIdx(Gzipped(plain)));
  EXPECT_EQ(one.bytes, std::string(70'000, 'x'));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const IdxArray two, ParseIdx(Gzipped(plain.substr(0, 1000)) + Gzipped(plain.substr(1000))));
  EXPECT_EQ(two.bytes, one.bytes);
}

TEST(IdxFileTest, RefusesAnyTruncation) {
  const std::string plain = IdxBytes({2, 3}, "abcdef");
  for (size_t length = 0; length < plain.size(); ++length) {
    ExpectRefused(plain.substr(0, length), "");
  }
  const std::string packed = Gzipped(plain);
  for (size_t length = 0; length < packed.size(); ++length) {
    ExpectRefused(packed.substr(0, length), "");
  }
  ExpectRefused(packed.substr(0, packed.size() - 9), "gzip stream");
}

TEST(IdxFileTest, RefusesFlippedBitsOfAGzipStream) {
  const std::string plain = IdxBytes({40}, std::string(20, 'a') + std::string(20, 'b'));
  const std::string packed = Gzipped(plain);
  for (size_t bit = 0; bit < packed.size() * 8; ++bit) {
    std::string flipped = packed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const auto array = ParseIdx(flipped);
    // Bits of the header's time and system say nothing of the content.
    if (array.ok()) {
      EXPECT_EQ(IdxBytes(array->shape, array->bytes), plain) << bit;
    }
  }
}

TEST(IdxFileTest, NamesWhatIsWrongWithTheMagic) {
  ExpectRefused("", "begins with");
  ExpectRefused("\x89PNG\r\n\x1a\n....", "89 50");
  ExpectRefused(std::string("\0\0\x0d\x01", 4) + std::string(4, '\0'), "0x0d");
  ExpectRefused(std::string("\0\0\x08\0", 4), "0 extents");
  ExpectRefused(std::string("\0\0\x08\x09", 4) + std::string(36, '\0'), "9 extents");
}

TEST(IdxFileTest, RefusesExtentsThatTheBytesCannotHold) {
  ExpectRefused(IdxBytes({2, 4}, "abcdef"), "2 x 4");
  ExpectRefused(IdxBytes({0xffffffff, 0xffffffff, 0xffffffff}, "abc"), "cannot hold");
  ExpectRefused(Gzipped(IdxBytes({0xffffffff}, "abc")), "cannot hold");
  ExpectRefused(Gzipped(IdxBytes({4000}, "abc")), "after 3 of 4000");
  // An extent of 0 does not excuse the others.
  ExpectRefused(IdxBytes({0, 0xffffffff, 0xffffffff}, ""), "cannot hold");
  ExpectRefused(IdxBytes({2}, "abc"), "bytes follow");
  ExpectRefused(Gzipped(IdxBytes({2}, "ab")) + "more", "bytes follow");
  EXPECT_THAT(ParseIdx(IdxBytes({0}, "")), IsOk());
}

class ReadDigitsTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_THAT(WriteFileAtomically(dir_.File(name), bytes), IsOk());
  }
  std::string folder() const { return dir_.path().string(); }

 private:
  TempDir dir_;
};

TEST_F(ReadDigitsTest, TakesPlainAndGzippedFiles) {
  Write("train-images-idx3-ubyte.gz", Gzipped(IdxBytes({2, 1, 3}, "abcdef")));
  Write("train-labels-idx1-ubyte", IdxBytes({2}, std::string("\x09\x00", 2)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const DigitSet digits, ReadDigits(folder(), DigitPart::kTrain));
  EXPECT_EQ(digits.size(), 2U);
  EXPECT_EQ(digits.rows, 1U);
  EXPECT_EQ(digits.columns, 3U);
  EXPECT_EQ(digits.pixels, "abcdef");
  EXPECT_THAT(digits.labels, ElementsAre(9, 0));
}

TEST_F(ReadDigitsTest, TellsWhichFilesItNeedsAndWhereTheyAre) {
  const auto missing = ReadDigits(folder(), DigitPart::kTest);
  EXPECT_THAT(missing, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(std::string(MessageOf(missing.status())),
              AllOf(HasSubstr("t10k-images-idx3-ubyte"), HasSubstr("t10k-labels-idx1-ubyte.gz"),
                    HasSubstr("train-images-idx3-ubyte.gz"), HasSubstr("https://")));
}

TEST_F(ReadDigitsTest, RefusesWhatDoesNotFitTogether) {
  Write("t10k-images-idx3-ubyte", IdxBytes({2, 1, 1}, "ab"));
  Write("t10k-labels-idx1-ubyte", IdxBytes({3}, std::string(3, '\0')));
  EXPECT_THAT(ReadDigits(folder(), DigitPart::kTest), StatusIs(StatusCode::kInvalidArgument));
  Write("t10k-labels-idx1-ubyte", IdxBytes({2}, std::string("\x00\x0a", 2)));
  const auto wrong = ReadDigits(folder(), DigitPart::kTest);
  EXPECT_THAT(wrong, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(wrong.status())), HasSubstr("label 1 is 10"));
  Write("t10k-labels-idx1-ubyte", "torn");
  const auto torn = ReadDigits(folder(), DigitPart::kTest);
  EXPECT_THAT(std::string(MessageOf(torn.status())), HasSubstr("t10k-labels-idx1-ubyte"));
}

}  // namespace
}  // namespace facegate
