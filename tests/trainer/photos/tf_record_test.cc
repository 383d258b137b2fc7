#include "trainer/photos/tf_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

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

// A record of 24 bytes, whose length's sum is known from TensorFlow.
TEST(TfRecordTest, ReadsARecordByteByByte) {
  const std::string length = "\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7f\x4b\x22"s;
  const std::string record = length + std::string(24, 'x') + "sum?";
  EXPECT_TRUE(LooksLikeTfRecord(length));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TfRecordPlace place, TfRecordAt(record, 0));
  EXPECT_EQ(place.data, std::string(24, 'x'));
  EXPECT_EQ(place.end, record.size());
  EXPECT_THAT(CheckTfRecord(record, place), StatusIs(StatusCode::kDataLoss));
}

// As protoc encodes it: a number that is not packed, and a list of floats between.
TEST(TfRecordTest, ReadsAnExampleByteByByte) {
  const std::string example =
      "\x0a\x4d"
      "\x0a\x18\x0a\x0dimage/encoded\x12\x07\x0a\x05\x0a\x03jpg"
      "\x0a\x15\x0a\x05score\x12\x0c\x12\x0a\x0a\x08\x00\x00\x00\x3f\x00\x00\x00\x40"
      "\x0a\x1a\x0a\x0fimage/source_id\x12\x07\x1a\x05\x08\xd8\x04\x08\x01"s;
  const std::optional<TfExample> parsed = ParseTfExample(example);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->encoded, "jpg");
  EXPECT_EQ(parsed->label, 600);
  EXPECT_EQ(parsed->path, "");
}

TEST(TfRecordTest, RefusesWhatIsNoExample) {
  EXPECT_FALSE(ParseTfExample("\x0a\x7f").has_value());
  EXPECT_FALSE(ParseTfExample("\x0b").has_value());
  EXPECT_FALSE(ParseTfExample("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").has_value());
  EXPECT_FALSE(ParseTfExample(TfExampleOf(1, "image/encoded", "x", "y").substr(0, 60)).has_value());
}

class TfRecordDatasetTest : public ::testing::Test {
 protected:
  static std::string Binary(int64_t label, uint64_t seed, const std::string& name) {
    return TfRecordOf(TfExampleOf(label, "image/encoded", PatternPng(seed), name));
  }
  static std::string Online(int64_t label, const std::string& path, const std::string& name) {
    return TfRecordOf(TfExampleOf(label, "image/img_path", path, name));
  }

  TempDir dir_;
};

TEST_F(TfRecordDatasetTest, ReadsAllFilesOfAFolder) {
  WriteBytes(dir_.File("set/a.tfrecord-00001-of-2"), Binary(3, 2, "3/b.png"));
  WriteBytes(dir_.File("set/a.tfrecord-00000-of-2.index"), "0 4242\n");
  WriteBytes(dir_.File("set/a.tfrecord-00000-of-2"), Binary(12, 0, "12/a.png") + Binary(3, 1, ""));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, OpenPhotoSource(dir_.File("set"), ""));
  ASSERT_EQ(source->size(), 3u);
  EXPECT_THAT(source->classes(), ElementsAre("3", "12"));
  EXPECT_EQ(source->label(0), 1u);
  EXPECT_EQ(source->label(2), 0u);
  EXPECT_EQ(source->short_name(0), "12/a.png");
  EXPECT_THAT(source->short_name(1), HasSubstr("a.tfrecord-00000-of-2/"));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(source->Read(i).value_or(""), PatternPng(i));
}

TEST_F(TfRecordDatasetTest, KnowsAFileByItsBytes) {
  WriteBytes(dir_.File("no_name"), Binary(0, 0, "a"));
  EXPECT_THAT(OpenPhotoSource(dir_.File("no_name"), ""), IsOk());
}

TEST_F(TfRecordDatasetTest, ReadsPathsBelowTheRoot) {
  WriteBytes(dir_.File("faces/7/a.png"), PatternPng(1));
  WriteBytes(dir_.File("faces/8/b.png"), PatternPng(2));
  // The second path is one of another machine; its file name is below the root.
  WriteBytes(dir_.File("set.tfrecord"),
             Online(7, "7/a.png", "7/a.png") + Online(8, "/gone/8/b.png", "8/b.png"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source,
                                OpenPhotoSource(dir_.File("set.tfrecord"), dir_.File("faces")));
  ASSERT_EQ(source->size(), 2u);
  EXPECT_EQ(source->short_name(1), "8/b.png");
  EXPECT_EQ(source->Read(0).value_or(""), PatternPng(1));
  EXPECT_EQ(source->Read(1).value_or(""), PatternPng(2));
}

TEST_F(TfRecordDatasetTest, PathsBeginInTheFolderOfTheFiles) {
  WriteBytes(dir_.File("set/faces/7/a.png"), PatternPng(1));
  WriteBytes(dir_.File("set/a.tfrecord"), Online(7, "faces/7/a.png", ""));
  for (const char* path : {"set", "set/", "set/a.tfrecord"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source,
                                  OpenPhotoSource(dir_.File(path), "", MissingPhotos::kRefuse));
    EXPECT_EQ(source->Read(0).value_or(""), PatternPng(1)) << path;
  }
}

// 300 MiB, of which the file has its front alone.
TEST_F(TfRecordDatasetTest, APhotoThatIsTooLargeIsABadOne) {
  size_t size = 300U << 20;
  std::string front;
  const auto wrap = [&](const std::string& before) {
    std::string head = before;
    for (uint64_t rest = size; rest > 0; rest >>= 7) {
      head.push_back(static_cast<char>((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0)));
    }
    size += head.size();
    front = head + front;
  };
  wrap("\x0a");                       // the value
  wrap("\x0a");                       // its list
  wrap("\x0a\x0dimage/encoded\x12");  // under its name
  wrap("\x0a");                       // among the features
  wrap("\x0a");                       // of the example
  const std::string others = TfExampleOf(7, "other", "", "a.png");
  size += others.size();
  front = others + front;
  std::string length;
  AppendLittleEndian(length, uint64_t{size});
  std::string record = length;
  AppendLittleEndian(record, MaskedCrc(Crc32c(length)));
  WriteBytes(dir_.File("set.tfrecord"), record + front);
  std::filesystem::resize_file(dir_.File("set.tfrecord"), record.size() + size + 4);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, OpenPhotoSource(dir_.File("set.tfrecord"), ""));
  ASSERT_EQ(source->size(), 1u);
  const auto image = source->Read(0);
  ASSERT_THAT(image, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(image.status()), HasSubstr("has 314572800 bytes, the most is 268435456"));
}

TEST_F(TfRecordDatasetTest, MissingPathsAreThoseOfAList) {
  WriteBytes(dir_.File("7/a.png"), PatternPng(1));
  WriteBytes(dir_.File("set.tfrecord"), Online(7, "7/a.png", "") + Online(8, "8/b.png", ""));
  const auto refused = OpenPhotoSource(dir_.File("set.tfrecord"), "", MissingPhotos::kRefuse);
  ASSERT_THAT(refused, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr("8/b.png"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto skipped, OpenPhotoSource(dir_.File("set.tfrecord"), "", MissingPhotos::kSkip));
  EXPECT_EQ(skipped->size(), 1u);
}

TEST_F(TfRecordDatasetTest, ADamagedRecordIsABadPhotoAndATornFileIsRefused) {
  std::string bytes = Binary(1, 0, "a") + Binary(2, 1, "b");
  bytes[60] ^= 1;
  WriteBytes(dir_.File("set.tfrecord"), bytes);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, OpenPhotoSource(dir_.File("set.tfrecord"), ""));
  ASSERT_EQ(source->size(), 2u);
  EXPECT_THAT(source->Read(0), StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(source->Read(1).value_or(""), PatternPng(1));
  WriteBytes(dir_.File("torn.tfrecord"), bytes.substr(0, bytes.size() - 5));
  const auto torn = OpenPhotoSource(dir_.File("torn.tfrecord"), "");
  ASSERT_THAT(torn, StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(MessageOf(torn.status()), HasSubstr("is cut off"));
}

TEST_F(TfRecordDatasetTest, RefusesOtherRecordsAndPackedFiles) {
  WriteBytes(dir_.File("events"), TfRecordOf("\x09\0\0\0\0\0\0\0\0"s));
  const auto events = OpenPhotoSource(dir_.File("events"), "");
  ASSERT_THAT(events, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(events.status()), HasSubstr("no record with a photo\n  left out: "));
  WriteBytes(dir_.File("a.tfrecord.gz"), "\x1f\x8b\x08 and so on");
  const auto packed = OpenPhotoSource(dir_.File("a.tfrecord.gz"), "");
  ASSERT_THAT(packed, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(packed.status()), HasSubstr("a gzip archive; unpack it"));
  WriteBytes(dir_.File("mixed.tfrecord"), Binary(1, 0, "a") + Online(1, "a.png", ""));
  EXPECT_THAT(OpenPhotoSource(dir_.File("mixed.tfrecord"), ""),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
