// Photos in zip and tar archives.
#include "trainer/photos/archive_dataset.h"

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
using ::testing::IsEmpty;

class ArchiveDatasetTest : public ::testing::Test {
 protected:
  StatusOr<std::unique_ptr<PhotoSource>> Open(const std::string& bytes) {
    WriteBytes(dir_.File("set"), bytes);
    return OpenPhotoSource(dir_.File("set"), "");
  }
  static std::vector<std::string> Names(const PhotoSource& source) {
    std::vector<std::string> names;
    for (size_t i = 0; i < source.size(); ++i) {
      names.push_back(source.short_name(i) + " " + std::to_string(source.label(i)));
    }
    return names;
  }

  TempDir dir_;
};

TEST_F(ArchiveDatasetTest, ReadsStoredAndPackedPhotosInTheOrderOfNames) {
  const std::vector<ArchivedFile> files = {{"top/zoe/2.png", PatternPng(2), true},
                                           {"top/", ""},
                                           {"top/zoe/1.png", PatternPng(1)},
                                           {"top/anna/1.png", PatternPng(0), true}};
  for (const std::string& bytes : {ZipOf(files), TarOf(files)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Open(bytes));
    EXPECT_THAT(source->classes(), ElementsAre("anna", "zoe"));
    EXPECT_THAT(Names(*source), ElementsAre("anna/1.png 0", "zoe/1.png 1", "zoe/2.png 1"));
    EXPECT_THAT(source->remarks(), IsEmpty());
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(source->Read(i).value_or(""), PatternPng(i));
  }
}

TEST_F(ArchiveDatasetTest, LeavesOutWhatAFolderLeavesOut) {
  const std::vector<ArchivedFile> files = {{"stray.png", PatternPng(0)},
                                           {"anna/notes", "some text"},
                                           {"anna/photo", PatternPng(1), true},
                                           {"__MACOSX/anna/1.png", "x"},
                                           {"anna/.DS_Store", "x"}};
  for (const std::string& bytes : {ZipOf(files), TarOf(files)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Open(bytes));
    EXPECT_THAT(Names(*source), ElementsAre("anna/photo 0"));
    EXPECT_THAT(source->remarks(),
                ElementsAre(HasSubstr("not photos"), HasSubstr("hidden files"),
                            HasSubstr("beside the folders of identities (1: stray.png)")));
  }
}

TEST_F(ArchiveDatasetTest, FoldersOfOneNameInTwoPlacesAreTwoPeople) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto source, Open(ZipOf({{"a/1/x.png", "1"}, {"b/1/x.png", "2"}, {"b/2/x.png", "3"}})));
  EXPECT_THAT(source->classes(), ElementsAre("a/1", "b/1", "2"));
}

// Nothing is unpacked, so a name that leads elsewhere is a name.
TEST_F(ArchiveDatasetTest, FollowsNoNameAndNoLink) {
  const std::vector<ArchivedFile> files = {
      {.name = "/etc/anna/1.png", .bytes = "abs"},
      {.name = "../../anna/2.png", .bytes = "up"},
      {.name = "anna/3.png", .bytes = "/etc/passwd", .unix_mode = 0120777, .type = '2'}};
  for (const std::string& bytes : {ZipOf(files), TarOf(files)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Open(bytes));
    EXPECT_THAT(Names(*source), ElementsAre("anna/1.png 0"));
    EXPECT_EQ(source->Read(0).value_or(""), "abs");
    EXPECT_THAT(source->remarks(), ElementsAre(HasSubstr("hidden"), HasSubstr("links")));
  }
}

TEST_F(ArchiveDatasetTest, TheLastFileOfANameCounts) {
  const std::vector<ArchivedFile> files = {{"a/1.png", "old"}, {"./a/1.png", "new"}};
  for (const std::string& bytes : {ZipOf(files), TarOf(files)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Open(bytes));
    ASSERT_EQ(source->size(), 1u);
    EXPECT_EQ(source->Read(0).value_or(""), "new");
  }
}

TEST_F(ArchiveDatasetTest, ADamagedPhotoOfAZipIsABadPhoto) {
  std::string bytes = ZipOf({{"a/1.png", PatternPng(1)}, {"a/2.png", PatternPng(2), true}});
  bytes[60] ^= 1;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Open(bytes));
  EXPECT_THAT(source->Read(0), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(MessageOf(source->Read(0).status()), HasSubstr("a/1.png: it is damaged"));
  EXPECT_EQ(source->Read(1).value_or(""), PatternPng(2));
}

TEST_F(ArchiveDatasetTest, RefusesArchivesThatAreCutOff) {
  const std::vector<ArchivedFile> files = {{"a/1.png", PatternPng(1)}, {"a/2.png", "x"}};
  for (const std::string& bytes : {ZipOf(files), TarOf(files)}) {
    const auto source = Open(bytes.substr(0, 700));
    ASSERT_THAT(source, StatusIs(StatusCode::kDataLoss));
    EXPECT_THAT(MessageOf(source.status()), HasSubstr("cut off"));
  }
}

// The blocks of zeros at the end say that nothing is missing; one of them does.
TEST_F(ArchiveDatasetTest, RefusesATarThatIsCutOffAnywhere) {
  const std::string tar = TarOf({{"a/1.png", "first"}, {"a/2.png", "second"}, {"a/3.png", ""}});
  const size_t end = tar.size() - 1024;
  for (size_t size = 512; size <= end; size += 256) {
    const auto source = Open(tar.substr(0, size));
    ASSERT_THAT(source, StatusIs(StatusCode::kDataLoss)) << size;
    EXPECT_THAT(MessageOf(source.status()), HasSubstr("cut off")) << size;
  }
  for (const std::string& whole : {tar.substr(0, end + 512), tar, tar + std::string(7168, '\0')}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Open(whole));
    EXPECT_EQ(source->size(), 3u);
  }
}

TEST_F(ArchiveDatasetTest, RefusesATarWhoseLastHeaderAnnouncesAFileThatIsNotThere) {
  const std::string file = TarMember({.name = "a/1.png", .bytes = "x"});
  for (const auto& [type, text] :
       {std::pair('L', "a/2.png"), std::pair('x', "16 path=a/2.png\n"), std::pair('K', "target")}) {
    const auto source = Open(file + TarOf({{.name = "x", .bytes = text, .type = type}}));
    ASSERT_THAT(source, StatusIs(StatusCode::kDataLoss)) << type;
    EXPECT_THAT(MessageOf(source.status()), HasSubstr("cut off"));
  }
}

// cat a.tar b.tar, and an archive with a block of zeros in its middle: what follows is not left out
// without a word.
TEST_F(ArchiveDatasetTest, RefusesATarThatGoesOnBehindItsEnd) {
  const std::string first = TarMember({.name = "a/1.png", .bytes = "x"});
  const std::string second = TarOf({{"b/1.png", "y"}});
  for (const size_t zeros : {512, 1024, 10240}) {
    const auto source = Open(first + std::string(zeros, '\0') + second);
    ASSERT_THAT(source, StatusIs(StatusCode::kDataLoss)) << zeros;
    EXPECT_THAT(MessageOf(source.status()), HasSubstr("has bytes behind its end"));
  }
}

// Two entries of the directory with the bytes of one file; thousands of them would be a bomb.
TEST_F(ArchiveDatasetTest, RefusesAZipWhoseFilesShareBytes) {
  for (const size_t offset : {0, 20}) {
    std::string bytes = ZipOf({{"a/1.png", PatternPng(1)}, {"a/2.png", PatternPng(1), true}});
    const size_t entry = bytes.find("PK\x01\x02", bytes.find("PK\x01\x02") + 1);
    bytes.replace(entry + 42, 4, {static_cast<char>(offset), '\0', '\0', '\0'});
    const auto source = Open(bytes);
    ASSERT_THAT(source, StatusIs(StatusCode::kDataLoss));
    EXPECT_THAT(MessageOf(source.status()), HasSubstr("files a/1.png and a/2.png share bytes"));
  }
}

// A photo is found again by its name, whatever that is made of.
TEST_F(ArchiveDatasetTest, LongNamesThatAreNoTextAreKept) {
  const std::string stem = "anna/" + std::string(100, '\xb9');
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source,
                                Open(ZipOf({{stem + "1.png", "x"}, {stem + "2.png", "x"}})));
  EXPECT_EQ(source->name(0), dir_.File("set") + ", " + stem + "1.png");
  EXPECT_EQ(source->name(1), dir_.File("set") + ", " + stem + "2.png");
}

// What is said when an archive is opened.
TEST_F(ArchiveDatasetTest, ShowsNamesThatAreNoTextInQuotes) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source,
                                Open(ZipOf({{"anna/1.png", "x"}, {"\x1b]0;a.png", "x"}})));
  EXPECT_THAT(source->remarks(), ElementsAre(HasSubstr(R"((1: "\x1b]0;a.png"))")));
}

TEST_F(ArchiveDatasetTest, RefusesAnArchiveWithoutPhotos) {
  const auto source = Open(ZipOf({}));
  ASSERT_THAT(source, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(source.status()), HasSubstr("expected IDENTITY/PHOTO"));
}

// POSIX's extended header, byte by byte, and GNU's long name.
TEST_F(ArchiveDatasetTest, ReadsLongNamesOfTar) {
  const std::string folder(120, 'f');
  const std::string path = folder + "/1.png";
  const std::string pax = "136 path=" + path + "\n";
  ASSERT_EQ(pax.size(), 136u);
  const std::string posix = TarMember({.name = "x", .bytes = pax, .type = 'x'}) +
                            TarMember({.name = "short", .bytes = "posix"});
  const std::string gnu = TarMember({.name = "././@LongLink", .bytes = path + '\0', .type = 'L'}) +
                          TarMember({.name = "short", .bytes = "gnu"});
  for (const auto& [bytes, image] : {std::pair(posix, "posix"), std::pair(gnu, "gnu")}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, Open(bytes + std::string(1024, '\0')));
    EXPECT_THAT(source->classes(), ElementsAre(folder));
    EXPECT_EQ(source->Read(0).value_or(""), image);
  }
}

TEST_F(ArchiveDatasetTest, SaysThatAPackedTarIsToBeUnpacked) {
  const auto source = Open("\x1f\x8b\x08 and so on");
  ASSERT_THAT(source, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(source.status()), HasSubstr("a gzip archive. Unpack it, or pack it again"));
}

}  // namespace
}  // namespace facegate
