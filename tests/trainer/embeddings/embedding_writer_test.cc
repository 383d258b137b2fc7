#include "trainer/embeddings/embedding_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/npy_file.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kFault[] = "b.jpg: no\nface";

class EmbeddingWriterTest : public ::testing::Test {
 protected:
  EmbeddingWriterOptions Options() {
    return {
        .npy = dir_.File("e.npy"), .names = dir_.File("e.txt"), .origin = "model 1", .width = 2};
  }
  StatusOr<std::unique_ptr<EmbeddingWriter>> Open(const EmbeddingWriterOptions& options,
                                                  std::vector<std::string> photos = {
                                                      "a.jpg", "b.jpg", "c.jpg", "d.jpg"}) {
    return EmbeddingWriter::Open(options, std::move(photos));
  }
  std::unique_ptr<EmbeddingWriter> MustOpen(const EmbeddingWriterOptions& options) {
    auto writer = Open(options);
    EXPECT_THAT(writer, IsOk());
    return writer.ok() ? *std::move(writer) : nullptr;
  }
  // The first three photos, the second without a face.
  void WriteThree(const EmbeddingWriterOptions& options) {
    const auto writer = MustOpen(options);
    ASSERT_THAT(writer->Append(std::vector<std::string>{"", kFault}, std::vector<float>{1, 2}),
                IsOk());
    ASSERT_THAT(writer->Append(std::vector<std::string>{""}, std::vector<float>{3, 4}), IsOk());
  }
  void WriteLast(EmbeddingWriter& writer) {
    ASSERT_THAT(writer.Append(std::vector<std::string>{""}, std::vector<float>{5, 6}), IsOk());
    ASSERT_THAT(writer.Finish(), IsOk());
  }
  std::string Read(const std::string& name) {
    const auto bytes = ReadFile(dir_.File(name), 1 << 20);
    EXPECT_THAT(bytes, IsOk());
    return bytes.value_or("");
  }
  NpyArray Array() {
    auto array = ParseNpy(Read("e.npy"));
    EXPECT_THAT(array, IsOk());
    return array.ok() ? *std::move(array) : NpyArray{};
  }
  bool Exists(const std::string& name) { return std::filesystem::exists(dir_.File(name)); }

  TempDir dir_;
};

TEST_F(EmbeddingWriterTest, LeavesOutPhotosWithoutAnEmbedding) {
  WriteThree(Options());
  WriteLast(*MustOpen(Options()));
  const NpyArray array = Array();
  EXPECT_THAT(array.shape, ElementsAre(3u, 2u));
  EXPECT_THAT(array.values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(Read("e.txt"), "a.jpg\nc.jpg\nd.jpg\n");
  EXPECT_FALSE(Exists("e.npy.partial"));
  EXPECT_FALSE(Exists("e.npy.partial.log"));
}

TEST_F(EmbeddingWriterTest, OrGivesThemARowOfNaN) {
  EmbeddingWriterOptions options = Options();
  options.nan_rows = true;
  WriteThree(options);
  WriteLast(*MustOpen(options));
  const NpyArray array = Array();
  EXPECT_THAT(array.shape, ElementsAre(4u, 2u));
  EXPECT_TRUE(std::isnan(array.values[2]) && std::isnan(array.values[3]));
  EXPECT_EQ(array.values[4], 3);
  EXPECT_EQ(Read("e.txt"), "a.jpg\nb.jpg\nc.jpg\nd.jpg\n");
}

TEST_F(EmbeddingWriterTest, RemembersWhatWasWrongAcrossProcesses) {
  WriteThree(Options());
  const auto writer = MustOpen(Options());
  EXPECT_EQ(writer->done(), 3u);
  EXPECT_EQ(writer->bad(), 1u);
  EXPECT_EQ(writer->rows(), 2u);
  EXPECT_THAT(writer->faults(), ElementsAre("", "b.jpg: no face", ""));
}

// The process may have ended anywhere: both files are cut at every length.
TEST_F(EmbeddingWriterTest, GoesOnFromEveryTornEnd) {
  WriteThree(Options());
  const std::string part = Read("e.npy.partial");
  const std::string log = Read("e.npy.partial.log");
  const size_t first_line = log.find('\n') + 1;
  for (size_t cut = 0; cut <= part.size() + log.size() - first_line; ++cut) {
    const size_t part_bytes = std::min(cut, part.size());
    const size_t log_bytes = cut <= part.size() ? log.size() : log.size() - (cut - part.size());
    ASSERT_THAT(WriteFileAtomically(dir_.File("e.npy.partial"), part.substr(0, part_bytes)),
                IsOk());
    ASSERT_THAT(WriteFileAtomically(dir_.File("e.npy.partial.log"), log.substr(0, log_bytes)),
                IsOk());
    const auto writer = MustOpen(Options());
    const std::vector<std::string> faults = {"", kFault, "", ""};
    const std::vector<float> rows = {1, 2, 3, 4, 5, 6};
    const std::span<const std::string> rest = std::span(faults).subspan(writer->done());
    ASSERT_THAT(writer->Append(rest, std::span(rows).subspan(2 * writer->rows())), IsOk());
    ASSERT_THAT(writer->Finish(), IsOk());
    EXPECT_THAT(Array().values, ElementsAre(1, 2, 3, 4, 5, 6)) << cut;
    std::filesystem::remove(dir_.File("e.npy"));
    std::filesystem::remove(dir_.File("e.txt"));
  }
}

TEST_F(EmbeddingWriterTest, FinishesWhenOnlyTheEndWasMissing) {
  WriteThree(Options());
  {
    const auto writer = MustOpen(Options());
    ASSERT_THAT(writer->Append(std::vector<std::string>{""}, std::vector<float>{5, 6}), IsOk());
  }
  ASSERT_THAT(WriteFileAtomically(dir_.File("e.txt"), "a.jpg\nc.jpg\nd.jpg\n"), IsOk());
  const auto writer = MustOpen(Options());
  EXPECT_EQ(writer->done(), writer->total());
  ASSERT_THAT(writer->Finish(), IsOk());
  EXPECT_THAT(Array().shape, ElementsAre(3u, 2u));
}

// The rest of an interrupted call does not block another one, and is not lost.
TEST_F(EmbeddingWriterTest, PutsAnothersRowsAside) {
  WriteThree(Options());
  const std::string rows = Read("e.npy.partial");
  EmbeddingWriterOptions other = Options();
  other.origin = "model 2";
  const auto model = MustOpen(other);
  EXPECT_EQ(model->done(), 0u);
  EXPECT_EQ(model->set_aside(), dir_.File("e.npy.partial.aside"));
  EXPECT_EQ(Read("e.npy.partial.aside"), rows);
  EXPECT_TRUE(Exists("e.npy.partial.log.aside"));
  other.origin = "model 3";
  EXPECT_EQ(MustOpen(other)->set_aside(), dir_.File("e.npy.partial.aside-2"));
  EXPECT_EQ(Read("e.npy.partial.aside"), rows);
}

TEST_F(EmbeddingWriterTest, PutsRowsOfOtherPhotosAside) {
  WriteThree(Options());
  const auto writer = Open(Options(), {"a.jpg", "x.jpg", "c.jpg", "d.jpg"});
  ASSERT_THAT(writer, IsOk());
  EXPECT_EQ((*writer)->done(), 0u);
  EXPECT_FALSE((*writer)->set_aside().empty());
}

TEST_F(EmbeddingWriterTest, CountsTheReasonsWhereNoPhotoHasAnEmbedding) {
  const auto writer = MustOpen(Options());
  const std::vector<std::string> faults = {"/x/a.jpg: no face", "/x/b.jpg: no face",
                                           "c.jpg: is 1 x 1 pixels", "/x/d.jpg: no face"};
  ASSERT_THAT(writer->Append(faults, {}), IsOk());
  const Status status = writer->Finish();
  EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(status)),
              HasSubstr("3 × no face, such as a.jpg\n  1 × is 1 x 1 pixels, such as c.jpg"));
  EXPECT_FALSE(Exists("e.npy.partial"));
}

TEST_F(EmbeddingWriterTest, ReplacesAFileOnlyWhenForced) {
  ASSERT_THAT(WriteFileAtomically(dir_.File("e.npy"), "precious"), IsOk());
  EXPECT_THAT(Open(Options()), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Read("e.npy"), "precious");
  std::filesystem::remove(dir_.File("e.npy"));
  ASSERT_THAT(WriteFileAtomically(dir_.File("e.txt"), "precious"), IsOk());
  EXPECT_THAT(Open(Options()), StatusIs(StatusCode::kFailedPrecondition));
  EmbeddingWriterOptions forced = Options();
  forced.force = true;
  EXPECT_THAT(Open(forced), IsOk());
}

TEST_F(EmbeddingWriterTest, RefusesWhatDoesNotFit) {
  const auto writer = MustOpen(Options());
  const std::vector<std::string> five(5);
  EXPECT_THAT(writer->Append(five, std::vector<float>(10)), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(writer->Append(std::vector<std::string>{""}, std::vector<float>{1}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(writer->Finish(), StatusIs(StatusCode::kFailedPrecondition));
  const std::vector<std::string> faults(4, "no face");
  ASSERT_THAT(writer->Append(faults, {}), IsOk());
  const Status status = writer->Finish();
  EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("no photo"));
}

}  // namespace
}  // namespace facegate
