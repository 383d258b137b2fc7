// Packing, and reading what was packed.
#include "trainer/photos/pack_job.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include "face/base/file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/set_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/pack_dataset.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class PackJobTest : public ::testing::Test {
 protected:
  PackJobTest() {
    for (int person = 0; person < 4; ++person) {
      for (int photo = 0; photo <= person; ++photo) {
        const std::string name = fmt::format("faces/p{}/{}.png", person, photo);
        WriteBytes(dir_.File(name), PatternPng(static_cast<uint64_t>(10 * person + photo)));
      }
    }
    options_.sources = {dir_.File("faces")};
    options_.out = dir_.File("out.pack");
  }

  StatusOr<PackReport> Pack() {
    bad_.clear();
    return WritePack(options_,
                     {.started = nullptr, .read = nullptr, .bad_photo = [&](const Status& s) {
                        bad_.emplace_back(MessageOf(s));
                      }});
  }
  std::string BytesOf(const std::string& name) {
    const auto bytes = ReadFile(dir_.File(name), 1 << 30);
    EXPECT_THAT(bytes, IsOk());
    return bytes.value_or("");
  }
  bool Exists(const std::string& name) { return std::filesystem::exists(dir_.File(name)); }

  TempDir dir_;
  PackOptions options_;
  std::vector<std::string> bad_;
};

TEST_F(PackJobTest, KeepsEachPhotosBytesNameAndIdentity) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
  EXPECT_EQ(report.pack.photos, 10u);
  EXPECT_EQ(report.identities, 4u);
  EXPECT_FALSE(Exists("out.pack.partial"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto folder, OpenPhotoSource(dir_.File("faces"), ""));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto pack, OpenPackSource(options_.out));
  ASSERT_EQ(pack->size(), folder->size());
  EXPECT_EQ(pack->classes(), folder->classes());
  for (size_t i = 0; i < pack->size(); ++i) {
    EXPECT_EQ(pack->label(i), folder->label(i));
    EXPECT_EQ(pack->short_name(i), folder->short_name(i));
    EXPECT_EQ(*pack->Read(i), *folder->Read(i));
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string digest, CheckPackDigest(options_.out));
  EXPECT_EQ(digest, report.pack.digest);
}

TEST_F(PackJobTest, DoesNotDependOnTheThreads) {
  options_.threads = 1;
  ASSERT_THAT(Pack(), IsOk());
  const std::string expected = BytesOf("out.pack");
  options_.threads = 7;
  ASSERT_THAT(Pack(), IsOk());
  EXPECT_EQ(BytesOf("out.pack"), expected);
}

TEST_F(PackJobTest, NamesBadPhotosAndLeavesThemOut) {
  WriteBytes(dir_.File("faces/p3/1.png"), "no picture");
  WriteBytes(dir_.File("faces/p2/1.png"), PatternPng(21).substr(0, 300));
  WriteBytes(dir_.File("faces/p0/0.png"), "");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
  EXPECT_EQ(report.pack.photos, 7u);
  EXPECT_EQ(report.bad_photos, 3u);
  EXPECT_THAT(bad_, ElementsAre(HasSubstr("faces/p0/0.png"), HasSubstr("faces/p2/1.png"),
                                HasSubstr("faces/p3/1.png")));
  // A person without a readable photo is no identity.
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto pack, OpenPackSource(options_.out));
  EXPECT_THAT(pack->classes(), ElementsAre("p1", "p2", "p3"));
}

TEST_F(PackJobTest, CountsReadablePhotosForTheLeast) {
  WriteBytes(dir_.File("faces/p2/1.png"), "no picture");
  options_.min_photos = 3;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
  EXPECT_EQ(report.identities, 1u);
  EXPECT_EQ(report.pack.photos, 4u);
  EXPECT_EQ(report.small_identities, 3u);
  EXPECT_EQ(report.photos_of_small, 5u);
}

TEST_F(PackJobTest, LeavesOutOtherSizesThanTheCrop) {
  WriteBytes(dir_.File("faces/p1/0.png"), EncodePng(PatternImage(3, {96, 112})));
  options_.crop = cv::Size(112, 112);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
  EXPECT_EQ(report.pack.photos, 9u);
  EXPECT_THAT(bad_, ElementsAre(HasSubstr("96 x 112 pixels, expected 112 x 112")));
}

TEST_F(PackJobTest, RefusesToWriteAnEmptyPack) {
  options_.min_photos = 5;
  EXPECT_THAT(Pack(), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_FALSE(Exists("out.pack"));
  EXPECT_FALSE(Exists("out.pack.partial"));
}

TEST_F(PackJobTest, MergesSourcesAndTellsLikeNamesApart) {
  WriteBytes(dir_.File("more/p1/x.png"), PatternPng(77));
  WriteBytes(dir_.File("more/zoe/x.png"), PatternPng(78));
  WriteBytes(dir_.File("list.txt"), "more/p1/x.png p1\n");
  options_.sources = {dir_.File("faces"), dir_.File("more"), dir_.File("list.txt")};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
  EXPECT_EQ(report.renamed_identities, 3u);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto pack, OpenPackSource(options_.out));
  EXPECT_THAT(pack->classes(),
              ElementsAre("p0", "faces/p1", "p2", "p3", "more/p1", "zoe", "list/p1"));
  EXPECT_EQ(pack->label(10), 4u);
  // A pack is a source, too; twice the same one has names of its own.
  options_.sources = {options_.out, options_.out};
  options_.out = dir_.File("twice.pack");
  ASSERT_THAT(Pack(), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto twice, OpenPackSource(options_.out));
  EXPECT_THAT(twice->classes(), SizeIs(14));
  EXPECT_EQ(std::set<std::string>(twice->classes().begin(), twice->classes().end()).size(), 14u);
}

// Whatever length a kill leaves, the pack has the bytes of one go in the end.
TEST_F(PackJobTest, GoesOnFromEveryLengthThatAKillLeaves) {
  ASSERT_THAT(Pack(), IsOk());
  const std::string whole = BytesOf("out.pack");
  for (size_t size = 0; size <= whole.size(); size += size < 40 ? 1 : 97) {
    std::filesystem::remove(options_.out);
    WriteBytes(dir_.File("out.pack.partial"), whole.substr(0, size));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
    EXPECT_EQ(BytesOf("out.pack"), whole) << size;
    if (size + 200 > whole.size()) {
      EXPECT_GE(report.continued_from, 9u) << size;
    }
  }
}

TEST_F(PackJobTest, WritesAnewWhatIsDamagedOrChangedMeanwhile) {
  ASSERT_THAT(Pack(), IsOk());
  const std::string whole = BytesOf("out.pack");
  std::string damaged = whole.substr(0, whole.size() / 2);
  damaged[damaged.size() / 2] ^= 1;
  WriteBytes(dir_.File("out.pack.partial"), damaged);
  ASSERT_THAT(Pack(), IsOk());
  EXPECT_EQ(BytesOf("out.pack"), whole);

  WriteBytes(dir_.File("out.pack.partial"), whole.substr(0, whole.size() / 2));
  WriteBytes(dir_.File("faces/p1/0.png"), PatternPng(99));
  ASSERT_THAT(Pack(), IsOk());
  const std::string changed = BytesOf("out.pack");
  EXPECT_NE(changed, whole);
  ASSERT_THAT(Pack(), IsOk());
  EXPECT_EQ(BytesOf("out.pack"), changed);
}

TEST_F(PackJobTest, NamesPhotosWhoseNamesAPackCannotHold) {
  WriteBytes(dir_.File("set.zip"), ZipOf({{"anna/" + std::string(5000, 'n'), PatternPng(1)},
                                          {"anna/1.png", PatternPng(2)},
                                          {std::string(5000, 'z') + "/1.png", PatternPng(3)}}));
  options_.sources = {dir_.File("set.zip")};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
  EXPECT_EQ(report.pack.photos, 1u);
  EXPECT_THAT(bad_, ElementsAre(AllOf(HasSubstr(", anna/nnn"), HasSubstr("name of 5005 bytes")),
                                AllOf(HasSubstr(", zzz"), HasSubstr("its identity has a name of "
                                                                    "5000 bytes"))));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto pack, OpenPackSource(options_.out));
  EXPECT_THAT(pack->classes(), ElementsAre("anna"));
}

TEST_F(PackJobTest, LeavesAFileAloneThatIsNoPackBegun) {
  WriteBytes(dir_.File("out.pack.partial"), "somebody's notes");
  EXPECT_THAT(Pack(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(BytesOf("out.pack.partial"), "somebody's notes");
}

TEST_F(PackJobTest, RefusesASecondWriter) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto writer, PackWriter::Open(options_.out));
  ASSERT_THAT(writer->Append({.label = 0, .name = "x", .image = "y"}), IsOk());
  EXPECT_THAT(Pack(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_TRUE(Exists("out.pack.partial"));
  EXPECT_THAT(writer->Finish(std::vector<std::string>{"a"}), IsOk());
  EXPECT_TRUE(Exists("out.pack"));
}

TEST_F(PackJobTest, GivesWhatAnEarlierWriterFlushed) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto writer = PackWriter::Open(options_.out);
    if (writer.ok() && (*writer)->Append({.label = 0, .name = "a", .image = "image"}).ok() &&
        (*writer)->Flush().ok()) {
      ::raise(SIGKILL);
    }
    ::_exit(3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto writer, PackWriter::Open(options_.out));
  EXPECT_EQ(writer->ImageOf("a"), "image");
  EXPECT_EQ(writer->ImageOf("b"), std::nullopt);
}

// A real kill: another process packs and is ended in the middle.
TEST_F(PackJobTest, GoesOnAfterAKill) {
  ASSERT_THAT(Pack(), IsOk());
  const std::string whole = BytesOf("out.pack");
  std::filesystem::remove(options_.out);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto writer = PackWriter::Open(options_.out);
    const std::string image = PatternPng(0);
    // More than the writer's buffer, so that a part lies in the file.
    for (int i = 0; writer.ok() && i < 100'000; ++i) {
      if (!(*writer)->Append({.label = 0, .name = "p0/0.png", .image = image}).ok()) break;
      if (std::filesystem::file_size(dir_.File("out.pack.partial")) > 1000) ::raise(SIGKILL);
    }
    ::_exit(3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PackReport report, Pack());
  EXPECT_GT(report.continued_from, 0u);
  EXPECT_EQ(BytesOf("out.pack"), whole);
}

TEST_F(PackJobTest, ADamagedPhotoIsNamedAndTheOthersAreRead) {
  ASSERT_THAT(Pack(), IsOk());
  std::string bytes = BytesOf("out.pack");
  bytes[200] ^= 4;  // in the first photo
  WriteBytes(options_.out, bytes);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(options_.out, ""));
  const auto first = dataset->Load(0);
  EXPECT_THAT(first, StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(MessageOf(first.status()), HasSubstr("out.pack, photo 0 (p0/0.png)"));
  EXPECT_THAT(dataset->Load(1), IsOk());
  EXPECT_THAT(CheckPackDigest(options_.out), StatusIs(StatusCode::kDataLoss));
}

TEST_F(PackJobTest, IsReadByManyThreadsAtOnce) {
  ASSERT_THAT(Pack(), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(options_.out, ""));
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < 40; ++i) {
        const auto picture = dataset->Load(i % dataset->size());
        if (!picture.ok() || picture->cols != 112) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace facegate
