#include "trainer/embeddings/projector_files.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "face/base/file.h"
#include "face/base/npy_header.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

class ProjectorFilesTest : public ::testing::Test {
 protected:
  // Three rows of two numbers, the second of which is none.
  void WriteRows(const std::string& names) {
    const float rows[] = {0.6F, 0.8F, std::nanf(""), 0.0F, 1.0F, 0.0F};
    std::string bytes = NpyHeader({3, 2});
    bytes.append(reinterpret_cast<const char*>(rows), sizeof(rows));
    ASSERT_THAT(WriteFileAtomically(dir_.File("e.npy"), bytes), IsOk());
    ASSERT_THAT(WriteFileAtomically(dir_.File("e.txt"), names), IsOk());
  }
  StatusOr<size_t> Write() {
    return WriteProjectorFiles(dir_.File("e.npy"), dir_.File("e.txt"), dir_.File("p"));
  }
  std::string Read(const std::string& name) {
    return ReadFile(dir_.File(name), 1 << 20).value_or("");
  }

  TempDir dir_;
};

TEST_F(ProjectorFilesTest, HaveARowForEachEmbedding) {
  WriteRows("set/anna/1.jpg\nset/anna/2.jpg\nalone.jpg\n");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const size_t written, Write());
  EXPECT_EQ(written, 2U);
  EXPECT_EQ(Read("p.vectors.tsv"), "0.6\t0.8\n1\t0\n");
  EXPECT_EQ(Read("p.metadata.tsv"), "name\tidentity\nset/anna/1.jpg\tanna\nalone.jpg\t-\n");
}

TEST_F(ProjectorFilesTest, RefuseNamesThatDoNotFit) {
  WriteRows("one.jpg\n");
  EXPECT_THAT(Write(), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
