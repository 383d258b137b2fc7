#include "trainer/photos/files_digest.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

class FilesDigestTest : public ::testing::TestWithParam<FilesToldBy> {
 protected:
  void Write(const std::string& bytes) { ASSERT_THAT(WriteFileAtomically(file_, bytes), IsOk()); }
  std::string Digest() const {
    return DigestOfFiles(std::vector<std::string>{file_, "no file"}, GetParam());
  }

  const TempDir dir_;
  const std::string file_ = dir_.File("a");
};

TEST_P(FilesDigestTest, ChangesWithTheFiles) {
  Write("one");
  const std::string before = Digest();
  EXPECT_EQ(Digest(), before);
  Write("other");
  EXPECT_NE(Digest(), before);
}

TEST_P(FilesDigestTest, ChangesWithATouchedFileByTimesAlone) {
  Write("one");
  const std::string before = Digest();
  std::filesystem::last_write_time(file_,
                                   std::filesystem::last_write_time(file_) - std::chrono::hours(1));
  EXPECT_EQ(Digest() == before, GetParam() == FilesToldBy::kSizes);
}

INSTANTIATE_TEST_SUITE_P(ByAll, FilesDigestTest,
                         ::testing::Values(FilesToldBy::kSizes, FilesToldBy::kNamesSizesAndTimes));

}  // namespace
}  // namespace facegate
