#include "trainer/photos/pack_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/base/coding.h"
#include "face/base/sha256.h"
#include "tests/support/pack_bytes.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two people, three photos.
std::string SmallPack() {
  return PackBytes({{.label = 0, .name = "a/1", .image = "first"},
                    {.label = 0, .name = "a/2", .image = "2nd"},
                    {.label = 1, .name = "b/1", .image = std::string("\0third", 6)}},
                   {"a", "b"});
}

// The first error among opening the pack and reading its photos.
Status ReadAll(std::string_view bytes) {
  const StatusOr<PackView> view = PackView::Parse(bytes);
  if (!view.ok()) return view.status();
  for (size_t i = 0; i < view->size(); ++i) {
    const StatusOr<PackRecord> record = view->Record(i);
    if (!record.ok()) return record.status();
  }
  return OkStatus();
}

TEST(PackFormatTest, ReadsWhatWasWritten) {
  const std::string bytes = SmallPack();
  EXPECT_TRUE(LooksLikePack(bytes));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackView view, PackView::Parse(bytes));
  ASSERT_EQ(view.size(), 3u);
  EXPECT_THAT(view.classes(), ElementsAre("a", "b"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackRecord last, view.Record(2));
  EXPECT_EQ(last.label, 1u);
  EXPECT_EQ(view.label(2), 1u);
  EXPECT_EQ(last.name, "b/1");
  EXPECT_EQ(view.Name(2), "b/1");
  EXPECT_EQ(last.image, std::string_view("\0third", 6));
}

// trainer/FORMAT.md to the byte: what was written once is read for ever.
TEST(PackFormatTest, HasTheBytesOfTheSpecification) {
  const std::string bytes = PackBytes({{.label = 0, .name = "n", .image = "jp"}}, {"c"});
  const std::string head = std::string(
                               "\x89"
                               "FGP\r\n\x1a\n",
                               8) +
                           std::string("\1\0\0\0", 4);
  std::string expected = head;
  AppendLittleEndian(expected, Crc32c(head));
  const std::string record = std::string("\0\0\0\0\1\0\0\0\2\0\0\0njp", 15);
  expected += record;
  AppendLittleEndian(expected, Crc32c(record));
  std::string index = std::string("\x10\0\0\0\0\0\0\0\0\0\0\0", 12);
  AppendLittleEndian(index, Crc32c(record));
  index += std::string("\1\0\0\0c", 5);
  expected += index;
  std::string footer = std::string("\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16);
  footer += std::string("\x23\0\0\0\0\0\0\0\x33\0\0\0\0\0\0\0", 16);
  AppendLittleEndian(footer, Crc32c(index));
  footer += std::string(4, '\0');
  Sha256 digest;
  digest.Update(expected);
  footer += digest.Digest();
  AppendLittleEndian(footer, Crc32c(footer));
  expected += footer + "FGPKEND\n";
  EXPECT_EQ(ToHex(bytes), ToHex(expected));
}

TEST(PackFormatTest, RefusesEveryTruncation) {
  const std::string bytes = SmallPack();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_THAT(ReadAll(cut), StatusIs(StatusCode::kInvalidArgument)) << size;
  }
}

TEST(PackFormatTest, FindsEveryFlippedBit) {
  const std::string bytes = SmallPack();
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_FALSE(ReadAll(flipped).ok()) << "byte " << at << " bit " << bit;
    }
  }
}

// Counts and offsets that were made to mislead, with sums that fit.
TEST(PackFormatTest, RefusesNumbersBeyondTheFile) {
  const std::string bytes = SmallPack();
  for (size_t field = 0; field < 4; ++field) {
    for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 31, uint64_t{1} << 60,
                                 UINT64_MAX, UINT64_MAX / 16 + 1}) {
      const std::string forged = WithFooterNumber(bytes, field, value);
      if (forged == bytes) continue;
      EXPECT_THAT(ReadAll(forged), StatusIs(StatusCode::kDataLoss))
          << "field " << field << " value " << value;
    }
  }
}

TEST(PackFormatTest, RefusesAnIndexThatMisleads) {
  for (const PackEntry& entry : {PackEntry{.offset = 0}, PackEntry{.offset = UINT64_MAX},
                                 PackEntry{.offset = 17}, PackEntry{.offset = 16, .label = 9}}) {
    EXPECT_THAT(ReadAll(PackWithIndex({entry})), StatusIs(StatusCode::kDataLoss)) << entry.offset;
  }
}

// A record that is whole but lies in the place of another one.
TEST(PackFormatTest, RefusesASwappedRecord) {
  const std::string one = PackBytes({{.label = 0, .name = "a", .image = "1"}}, {"a"});
  const std::string other = PackBytes({{.label = 0, .name = "a", .image = "2"}}, {"a"});
  std::string mixed = one;
  const size_t record_bytes = 12 + 2 + 4;
  mixed.replace(kPackHeaderBytes, record_bytes, other, kPackHeaderBytes, record_bytes);
  EXPECT_THAT(ReadAll(mixed), StatusIs(StatusCode::kDataLoss));
}

TEST(PackFormatTest, SaysWhatAPackIsNot) {
  EXPECT_THAT(MessageOf(PackView::Parse("photo.jpg 3\n").status()), HasSubstr("not a pack"));
  std::string later = PackHeader();
  later[8] = 2;
  later.resize(12);
  AppendLittleEndian(later, Crc32c(later));
  EXPECT_THAT(MessageOf(PackView::Parse(later + SmallPack().substr(16)).status()),
              HasSubstr("version 2"));
  EXPECT_THAT(MessageOf(PackView::Parse(PackHeader()).status()), HasSubstr("not finished"));
}

TEST(PackFormatTest, WritesNoRecordThatItWouldNotRead) {
  EXPECT_FALSE(SerializePackRecord({.label = 0, .name = "", .image = "x"}).ok());
  EXPECT_FALSE(SerializePackRecord({.label = 0, .name = "x", .image = ""}).ok());
  const std::string long_name(kMaxPackNameBytes + 1, 'x');
  EXPECT_FALSE(SerializePackRecord({.label = 0, .name = long_name, .image = "x"}).ok());
}

}  // namespace
}  // namespace facegate
