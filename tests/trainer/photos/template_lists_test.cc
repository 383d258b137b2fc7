#include "trainer/photos/template_lists.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "face/base/file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kMedia[] = "1.jpg 20 5\n2.jpg 10 7\n3.jpg 20 4\n4.jpg 20 5\n";
constexpr char kMarks[] =
    "2.jpg 1.5 2 3 4 5 6 7 8 9 10 0.999\n"
    "1.jpg 1 2 3 4 5 6 7 8 9 10 0.5\n"
    "3.jpg 1 2 3 4 5 6 7 8 9 10 0.25\r\n"
    "4.jpg 1 2 3 4 5 6 7 8 9 10 1\n"
    "5.jpg 1 2 3 4 5 6 7 8 9 10 1\n";

class TemplateListsTest : public ::testing::Test {
 protected:
  TemplateListsTest() {
    Write("face_tid_mid.txt", kMedia);
    Write("name_5pts_score.txt", kMarks);
    Write("template_pair_label.txt", "10 20 1\n20 10 0\n");
  }

  std::string Path(const std::string& name) const { return dir_.File("meta/ijbc_" + name); }
  void Write(const std::string& name, const std::string& text) { WriteBytes(Path(name), text); }
  void WriteSearches() {
    Write("1N_probe_mixed.csv", "TEMPLATE_ID,SUBJECT_ID,FILENAME\n20,3,img/a.jpg\n10,4,b.jpg\n");
    Write("1N_gallery_G1.csv", "TEMPLATE_ID,SUBJECT_ID,FILENAME\n10,3,\"a,b.jpg\"\n10,3,c\n");
    Write("1N_gallery_G2.csv", "20,4\n");
  }
  std::string Refusal(const std::string& target = "IJBC") const {
    const auto set = OpenTemplateSet(dir_.path().string(), target);
    EXPECT_FALSE(set.ok());
    return std::string(MessageOf(set.status()));
  }

  const TempDir dir_;
};

TEST_F(TemplateListsTest, JoinsBothListsInOrderOfTemplatesAndMedia) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto faces, ReadTemplateFaces(Path("face_tid_mid.txt"), Path("name_5pts_score.txt")));
  ASSERT_EQ(faces.size(), 4u);
  std::string order;
  for (const TemplateFace& face : faces) order += face.name + " ";
  EXPECT_EQ(order, "2.jpg 3.jpg 1.jpg 4.jpg ");
  EXPECT_EQ(faces[0].number, 10u);
  EXPECT_EQ(faces[0].medium, 7u);
  EXPECT_FLOAT_EQ(faces[0].detection, 0.999F);
  ASSERT_EQ(faces[0].landmarks.size(), 5u);
  EXPECT_EQ(faces[0].landmarks[0], cv::Point2f(1.5F, 2.0F));
  EXPECT_EQ(faces[0].landmarks[4], cv::Point2f(9.0F, 10.0F));
}

TEST_F(TemplateListsTest, OpensASetWithItsSearches) {
  WriteSearches();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TemplateSet set,
                                OpenTemplateSet(dir_.path().string(), "ijbc"));
  EXPECT_EQ(set.genuine, 1u);
  EXPECT_EQ(set.impostor, 1u);
  EXPECT_EQ(set.photos, dir_.File("loose_crop"));
  ASSERT_EQ(set.galleries.size(), 2u);
  EXPECT_EQ(set.galleries[0].name, "G1");
  ASSERT_EQ(set.galleries[0].people.size(), 1u);
  EXPECT_EQ(set.galleries[0].people[0].subject, 3u);
  EXPECT_EQ(set.galleries[1].people[0].number, 20u);
  EXPECT_EQ(set.probes.size(), 2u);
}

TEST_F(TemplateListsTest, ASetWithoutSearchesIsWhole) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TemplateSet set,
                                OpenTemplateSet(dir_.path().string(), "IJBC"));
  EXPECT_TRUE(set.galleries.empty());
}

TEST_F(TemplateListsTest, ASearchThatIsMissingAmongOthersIsNamed) {
  WriteSearches();
  std::filesystem::remove(Path("1N_gallery_G2.csv"));
  EXPECT_THAT(Refusal(), HasSubstr("ijbc_1N_gallery_G2.csv"));
}

TEST_F(TemplateListsTest, ListsOfTheOtherSetHaveOtherNames) {
  EXPECT_THAT(Refusal("IJBB"), HasSubstr("meta/ijbb_"));
  EXPECT_THAT(Refusal("IJBA"), HasSubstr("IJBB, IJBC"));
}

TEST_F(TemplateListsTest, NamesTheLineOfMediaThatIsWrong) {
  for (const char* const line : {"2.jpg 10", "2.jpg x 7", "2.jpg 10 7 8", "2.jpg 10 -7",
                                 "2.jpg 4294967296 7", "1.jpg 10 7", "9.jpg 10 7"}) {
    Write("face_tid_mid.txt", fmt::format("1.jpg 20 5\n\n{}\n", line));
    EXPECT_THAT(Refusal(), HasSubstr("ijbc_face_tid_mid.txt, line 3: ")) << line;
  }
}

TEST_F(TemplateListsTest, NamesTheLineOfLandmarksThatIsWrong) {
  for (const char* const line : {"x 1 2 3 4 5 6 7 8 9 10", "x 1 2 3 4 5 6 7 8 9 10 0.5 1",
                                 "x 1 2 3 4 5 6 7 8 9 nan 0.5", "x 1 2 3 4 5 6 7 8 9 10 -1",
                                 "x 1 2 3 4 5 6 7 8 9 1e99 1", "2.jpg 1 2 3 4 5 6 7 8 9 10 1"}) {
    Write("name_5pts_score.txt", fmt::format("{}{}\n", kMarks, line));
    EXPECT_THAT(Refusal(), HasSubstr("ijbc_name_5pts_score.txt, line 6: ")) << line;
  }
}

TEST_F(TemplateListsTest, NamesTheLineOfPairsThatIsWrong) {
  for (const char* const line : {"10 20", "10 20 2", "10 20 1 1", "10 a.jpg 1", "10,20,1"}) {
    Write("template_pair_label.txt", fmt::format("10 20 1\n20 10 0\n{}\n", line));
    EXPECT_THAT(Refusal(), HasSubstr("ijbc_template_pair_label.txt, line 3: ")) << line;
  }
}

TEST_F(TemplateListsTest, RefusesTemplatesWithoutAFaceAndPairsOfOneKind) {
  Write("template_pair_label.txt", "10 20 1\n20 11 0\n");
  EXPECT_THAT(Refusal(), HasSubstr("template 11 has no face"));
  Write("template_pair_label.txt", "10 20 1\n20 10 1\n");
  EXPECT_THAT(Refusal(), HasSubstr("2 pairs of one person and 0 of two"));
  Write("template_pair_label.txt", "10 20 1\n20 10 0\n");
  WriteSearches();
  Write("1N_probe_mixed.csv", "TEMPLATE_ID,SUBJECT_ID\n12,3\n");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("1N_probe_mixed.csv"), HasSubstr("template 12")));
}

TEST_F(TemplateListsTest, NamesTheLineOfSearchesThatIsWrong) {
  WriteSearches();
  for (const char* const line : {"10", "10,x", "y,3", "20,5"}) {
    Write("1N_probe_mixed.csv", fmt::format("TEMPLATE_ID,SUBJECT_ID\n20,3\n{}\n", line));
    EXPECT_THAT(Refusal(), HasSubstr("ijbc_1N_probe_mixed.csv, line 3: ")) << line;
  }
  Write("1N_probe_mixed.csv", "TEMPLATE_ID,SUBJECT_ID\n20,\"3\n");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("ijbc_1N_probe_mixed.csv"), HasSubstr("closing quote")));
}

TEST_F(TemplateListsTest, AHeaderHasNoNumbers) {
  WriteSearches();
  for (const char* const line : {"x,3", "20,y"}) {
    Write("1N_probe_mixed.csv", fmt::format("{}\n10,4\n", line));
    EXPECT_THAT(Refusal(), HasSubstr("ijbc_1N_probe_mixed.csv, line 1: ")) << line;
  }
}

TEST_F(TemplateListsTest, RefusesGalleriesThatCannotBeSearched) {
  WriteSearches();
  Write("1N_gallery_G1.csv", "10,3\n20,3\n");
  EXPECT_THAT(Refusal(), HasSubstr("ijbc_1N_gallery_G1.csv: person 3 has the templates 10 and 20"));
  Write("1N_gallery_G1.csv", "10,5\n");
  EXPECT_THAT(Refusal(), HasSubstr("ijbc_1N_gallery_G1.csv: no probe is of a person in it"));
}

TEST_F(TemplateListsTest, PairsMayBeginWithTheMarkOfUtf8) {
  Write("template_pair_label.txt",
        "\xef\xbb\xbf"
        "10 20 1\n20 10 0\n");
  EXPECT_THAT(OpenTemplateSet(dir_.path().string(), "IJBC"), IsOk());
}

// Many pairs come in several parts.
TEST_F(TemplateListsTest, GivesAllPairsInOrder) {
  constexpr uint32_t kPairs = (1 << 20) + 5;
  std::string text;
  for (uint32_t i = 0; i < kPairs; ++i) text += fmt::format("{} {} {}\n", i, i + 1, i % 2);
  Write("template_pair_label.txt", text);
  uint32_t next = 0;
  size_t parts = 0;
  ASSERT_THAT(ForEachTemplatePairs(Path("template_pair_label.txt"),
                                   [&](std::span<const TemplatePair> pairs) {
                                     ++parts;
                                     for (const TemplatePair& pair : pairs) {
                                       EXPECT_EQ(pair.first, next);
                                       EXPECT_EQ(pair.second, next + 1);
                                       EXPECT_EQ(pair.same, next % 2 == 1);
                                       ++next;
                                     }
                                     return OkStatus();
                                   }),
              IsOk());
  EXPECT_EQ(next, kPairs);
  EXPECT_EQ(parts, 2u);
}

// Whatever a list is cut to is read or refused.
TEST_F(TemplateListsTest, ListsThatAreCutAreReadOrRefused) {
  WriteSearches();
  for (const char* const name : {"face_tid_mid.txt", "name_5pts_score.txt",
                                 "template_pair_label.txt", "1N_gallery_G1.csv"}) {
    const std::string whole = ReadFile(Path(name), 1 << 20).value();
    for (size_t size = 0; size < whole.size(); ++size) {
      Write(name, whole.substr(0, size));
      const auto set = OpenTemplateSet(dir_.path().string(), "IJBC");
      if (set.ok()) continue;
      EXPECT_THAT(set, StatusIs(StatusCode::kInvalidArgument)) << name << size;
    }
    Write(name, whole);
  }
}

}  // namespace
}  // namespace facegate
