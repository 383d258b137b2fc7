#include "face/weights/zip_writer.h"

#include <gmock/gmock.h>

#include <string>

#include "face/weights/zip_store.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

std::string Archive() {
  ZipWriter writer;
  EXPECT_THAT(writer.Add("a/one", "123456789"), IsOk());
  EXPECT_THAT(writer.Add("a/none", ""), IsOk());
  EXPECT_THAT(writer.Add("a/" + std::string(31, 'n'), std::string(100, 'x')), IsOk());
  return writer.Finish();
}

TEST(ZipWriterTest, WritesWhatTheReaderReads) {
  const std::string archive = Archive();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore store, ZipStore::Open(archive));
  EXPECT_EQ(store.entries().size(), 3U);
  EXPECT_EQ(store.entries().at("a/one").crc32, 0xcbf43926U);  // the check value of CRC-32
  EXPECT_EQ(store.Read("a/one").value(), "123456789");
  EXPECT_EQ(store.Read("a/none").value(), "");
  EXPECT_EQ(store.Read("a/" + std::string(31, 'n')).value(), std::string(100, 'x'));
}

TEST(ZipWriterTest, BeginsEveryContentAtAMultipleOf64Bytes) {
  const std::string archive = Archive();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore store, ZipStore::Open(archive));
  for (const auto& [name, entry] : store.entries()) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string_view content, store.Read(name));
    EXPECT_EQ((content.data() - archive.data()) % 64, 0) << name;
  }
}

TEST(ZipWriterTest, RefusesMoreEntriesThanTheFormatCounts) {
  ZipWriter writer;
  for (int i = 0; i < 65534; ++i) ASSERT_THAT(writer.Add(std::to_string(i), ""), IsOk());
  const Status one_more = writer.Add("one more", "");
  EXPECT_THAT(one_more, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(one_more.message()), HasSubstr("at most 65534 entries"));
}

}  // namespace
}  // namespace facegate
