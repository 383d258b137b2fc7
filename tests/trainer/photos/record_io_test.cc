#include "trainer/photos/record_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "face/base/coding.h"
#include "tests/support/photo_folder.h"
#include "tests/support/set_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<uint64_t> Keys(const RecordIoIndex& index) {
  std::vector<uint64_t> keys;
  for (const RecordIoPlace& place : index.places) keys.push_back(place.key);
  return keys;
}

// The label 7 and the picture "abc", byte by byte.
const std::string kKnown =
    "\x0a\x23\xd7\xce\x1b\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\xe0\x40"
    "\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "abc\x00"s;

TEST(RecordIoTest, ReadsARecordByteByByte) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RecordIoIndex index, IndexRecordIo(kKnown, ""));
  EXPECT_THAT(index.labels, ElementsAre(7));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string image, RecordIoImage(kKnown, 0));
  EXPECT_EQ(image, "abc");
}

// The payload had the magic at its bytes 24 and 36.
TEST(RecordIoTest, JoinsASplitRecord) {
  const std::string split =
      "\x0a\x23\xd7\xce\x18\x00\x00\x20"
      "\x00\x00\x00\x00\x00\x00\x40\x40"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x0a\x23\xd7\xce\x08\x00\x00\x40"
      "12345678"
      "\x0a\x23\xd7\xce\x02\x00\x00\x60"
      "zz\x00\x00"s;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RecordIoIndex index, IndexRecordIo(split + kKnown, ""));
  EXPECT_THAT(index.labels, ElementsAre(3, 7));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string image, RecordIoImage(split, 0));
  EXPECT_EQ(image,
            "\x0a\x23\xd7\xce"s
            "12345678"
            "\x0a\x23\xd7\xce"
            "zz");
}

TEST(RecordIoTest, TakesPhotosAloneOfAnInsightFaceSet) {
  const RecordIoFiles files = InsightFaceSet({{4, "first"}, {2, "second"}, {4, "third"}}, 2);
  for (const std::string& idx : {files.idx, std::string()}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const RecordIoIndex index, IndexRecordIo(files.rec, idx));
    EXPECT_THAT(Keys(index), ElementsAre(1, 2, 3));
    EXPECT_THAT(index.labels, ElementsAre(4, 2, 4));
    EXPECT_THAT(index.left_out.Remarks(), ElementsAre());
  }
}

// im2rec writes no header: its first record is a photo, with one label or several.
TEST(RecordIoTest, TakesTheFirstRecordOfAnIm2recSet) {
  const RecordIoFiles files =
      RecordIoSet({RecordIoPayload({5.0F, 9.0F}, "first"), RecordIoPayload({6.0F}, "second")});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RecordIoIndex index, IndexRecordIo(files.rec, files.idx));
  EXPECT_THAT(index.labels, ElementsAre(5, 6));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string image, RecordIoImage(files.rec, 0));
  EXPECT_EQ(image, "first");
}

TEST(RecordIoTest, NamesWhatIsNoPhoto) {
  const RecordIoFiles files =
      RecordIoSet({"short", RecordIoPayload({1.0F}, ""), RecordIoPayload({0.5F}, "half"),
                   RecordIoPayload({1.0F}, "whole")});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RecordIoIndex index, IndexRecordIo(files.rec, files.idx));
  EXPECT_THAT(Keys(index), ElementsAre(3));
  EXPECT_THAT(index.left_out.Remarks(),
              ElementsAre(HasSubstr("whole number (1: key 2)"), HasSubstr("without a picture"),
                          HasSubstr("without the header")));
}

TEST(RecordIoTest, RefusesATornFile) {
  const RecordIoFiles files = InsightFaceSet({{0, "first"}, {1, "second"}}, 0);
  const auto torn = IndexRecordIo(std::string_view(files.rec).substr(0, files.rec.size() - 9), "");
  ASSERT_THAT(torn, StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(MessageOf(torn.status()), HasSubstr("at byte 80 reaches beyond the end"));
}

TEST(RecordIoTest, RefusesAnIndexOfAnotherFile) {
  const RecordIoFiles files = InsightFaceSet({{0, "first"}}, 0);
  for (const char* idx : {"0\t0\n1\t44\n", "0\t0\n1\t99999\n", "0\t0\n1\t-4\n", "0\t0\n0\t40\n",
                          "0\t0\n1\t0\n", "one\ttwo\n", "12\n"}) {
    EXPECT_FALSE(IndexRecordIo(files.rec, idx).ok()) << idx;
  }
}

// An index that was cut off at the end of a line, and one that lacks a line in the middle.
TEST(RecordIoTest, RefusesAnIndexThatDoesNotNameAllRecords) {
  const RecordIoFiles files = RecordIoSet(
      {RecordIoPayload({5.0F}, "a"), RecordIoPayload({6.0F}, "b"), RecordIoPayload({7.0F}, "c")});
  for (const char* idx : {"0\t0\n1\t40\n", "0\t0\n2\t80\n", "1\t40\n2\t80\n"}) {
    const auto index = IndexRecordIo(files.rec, idx);
    ASSERT_THAT(index, StatusIs(StatusCode::kInvalidArgument)) << idx;
    EXPECT_THAT(MessageOf(index.status()), HasSubstr("does not name the record at byte ")) << idx;
  }
}

// The header and the identities have no picture.
TEST(RecordIoTest, ReadsASetWhoseIndexNamesThePhotosAlone) {
  const RecordIoFiles files = InsightFaceSet({{4, "first"}, {2, "second"}}, 3);
  const size_t first = files.idx.find("1\t");
  const std::string idx = files.idx.substr(first, files.idx.find("3\t") - first);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RecordIoIndex index, IndexRecordIo(files.rec, idx));
  EXPECT_THAT(Keys(index), ElementsAre(1, 2));
  EXPECT_THAT(index.labels, ElementsAre(4, 2));
  EXPECT_THAT(index.left_out.Remarks(), ElementsAre());
}

// What no index names is walked through: bytes that are no records are refused there too.
TEST(RecordIoTest, RefusesBytesBetweenTheRecordsOfAnIndex) {
  const RecordIoFiles files = InsightFaceSet({{4, "first"}}, 0);
  const auto index = IndexRecordIo("torn" + files.rec, "1\t44\n");
  ASSERT_THAT(index, StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(MessageOf(index.status()), HasSubstr("at byte 0 does not begin with the magic"));
}

// The header of a set to which photos were added says too small a number.
TEST(RecordIoTest, TakesPhotosBehindTheHeadersNumber) {
  const RecordIoFiles files =
      RecordIoSet({RecordIoPayload({2.0F, 4.0F}, ""), RecordIoPayload({5.0F}, "first"),
                   RecordIoPayload({6.0F}, "second"), RecordIoPayload({1.0F, 2.0F}, "")});
  for (const std::string& idx : {files.idx, std::string()}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const RecordIoIndex index, IndexRecordIo(files.rec, idx));
    EXPECT_THAT(Keys(index), ElementsAre(1, 2));
    EXPECT_THAT(index.left_out.Remarks(), ElementsAre());
  }
}

TEST(RecordIoTest, OpensAFolderWithAndWithoutTheIndex) {
  const TempDir dir;
  const RecordIoFiles files = InsightFaceSet({{30, PatternPng(1)}, {4, PatternPng(2)}}, 2);
  WriteBytes(dir.File("ms1m/train.rec"), files.rec);
  WriteBytes(dir.File("ms1m/train.idx"), files.idx);
  WriteBytes(dir.File("ms1m/lfw.bin"), "\x80\x02");
  WriteBytes(dir.File("alone.rec"), files.rec);
  for (const char* path : {"ms1m", "ms1m/train.rec", "alone.rec"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, OpenPhotoSource(dir.File(path), ""));
    ASSERT_EQ(source->size(), 2u) << path;
    EXPECT_THAT(source->classes(), ElementsAre("4", "30"));
    EXPECT_EQ(source->label(0), 1u);
    EXPECT_EQ(source->short_name(0), "30/1");
    EXPECT_EQ(source->Read(1).value_or(""), PatternPng(2));
  }
}

// One record in a piece and one in two, of 300 MiB each; the files have holes in place of pixels.
TEST(RecordIoTest, APhotoThatIsTooLargeIsABadOne) {
  const TempDir dir;
  const std::string payload = RecordIoPayload({1.0F}, "");
  const auto part = [](uint32_t kind, uint32_t size) {
    std::string head(kRecordIoMagic);
    AppendLittleEndian(head, kind << 29 | size);
    return head;
  };
  constexpr uint32_t kHalf = 150U << 20;
  WriteBytes(dir.File("whole.rec"), part(0, 2 * kHalf) + payload);
  std::filesystem::resize_file(dir.File("whole.rec"), 8 + 2 * kHalf);
  WriteBytes(dir.File("split.rec"), part(1, kHalf) + payload);
  std::filesystem::resize_file(dir.File("split.rec"), 8 + kHalf);
  std::ofstream(dir.File("split.rec"), std::ios::binary | std::ios::app) << part(3, kHalf);
  std::filesystem::resize_file(dir.File("split.rec"), 16 + 2 * kHalf);
  for (const char* name : {"whole.rec", "split.rec"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, OpenPhotoSource(dir.File(name), ""));
    ASSERT_EQ(source->size(), 1u);
    const auto image = source->Read(0);
    ASSERT_THAT(image, StatusIs(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(MessageOf(image.status()), HasSubstr("bytes, the most is 268435456"));
  }
}

TEST(RecordIoTest, SaysWhichFileOfSeveralIsMeant) {
  const TempDir dir;
  WriteBytes(dir.File("sets/a.rec"), kKnown);
  WriteBytes(dir.File("sets/b.rec"), kKnown);
  const auto source = OpenPhotoSource(dir.File("sets"), "");
  ASSERT_THAT(source, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(source.status()), HasSubstr("2 RecordIO files (a.rec, b.rec); name one"));
}

}  // namespace
}  // namespace facegate
