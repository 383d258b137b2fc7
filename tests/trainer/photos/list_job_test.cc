// Lists that are written, as they are read again.
#include "trainer/photos/list_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "face/base/file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

class ListJobTest : public ::testing::Test {
 protected:
  Status Write(ListForm form) { return WriteList(options_, form, dir_.File("out")).status(); }
  StatusOr<std::unique_ptr<PhotoSource>> Read() {
    return OpenPhotoSource(dir_.File("out"), "", MissingPhotos::kRefuse);
  }

  TempDir dir_;
  PhotoJobOptions options_;
};

// link/.. is the folder above that to which the link leads.
TEST_F(ListJobTest, KeepsAWayUpThroughALink) {
  WriteBytes(dir_.File("disk/faces/anna/1.png"), PatternPng(1));
  std::filesystem::create_directory(dir_.File("disk/deep"));
  std::filesystem::create_directory_symlink(dir_.File("disk/deep"), dir_.File("link"));
  options_.sources = {dir_.File("link/../faces")};
  for (const ListForm form : {ListForm::kCls, ListForm::kCsv}) {
    ASSERT_THAT(Write(form), IsOk());
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Read());
    ASSERT_EQ(source->size(), 1u);
    EXPECT_EQ(source->Read(0).value_or(""), PatternPng(1));
  }
}

TEST_F(ListJobTest, ACsvKeepsBlanksAtTheEndsOfNames) {
  WriteBytes(dir_.File("faces/\tanna/1.png "), PatternPng(1));
  WriteBytes(dir_.File("faces/zoe /2.png\t"), PatternPng(2));
  options_.sources = {dir_.File("faces")};
  ASSERT_THAT(Write(ListForm::kCsv), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Read());
  ASSERT_EQ(source->size(), 2u);
  EXPECT_EQ(source->Read(0).value_or(""), PatternPng(1));
  EXPECT_EQ(source->Read(1).value_or(""), PatternPng(2));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(dir_.File("out"), 1 << 20));
  EXPECT_THAT(text, HasSubstr(",\"\tanna\","));
}

TEST_F(ListJobTest, RefusesNamesThatLabelAndPathCannotHold) {
  for (const char* name : {"1.png ", "1.png\t", "a;b.png", "a\nb.png"}) {
    const TempDir faces;
    WriteBytes(faces.File(std::string("anna/") + name), PatternPng(1));
    options_.sources = {faces.path().string()};
    const Status refused = Write(ListForm::kCls);
    ASSERT_THAT(refused, StatusIs(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(MessageOf(refused), HasSubstr("a CSV holds any path"));
  }
}

}  // namespace
}  // namespace facegate
