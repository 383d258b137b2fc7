#include "trainer/photos/record_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    EXPECT_THAT(index.left_out.Lines(), ElementsAre());
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
  EXPECT_THAT(index.left_out.Lines(),
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
