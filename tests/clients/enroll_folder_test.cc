#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "clients/cli/bulk_enrolment.h"
#include "clients/cli/folder_name.h"
#include "clients/cli/interrupt.h"
#include "tests/clients/cli_fixture.h"

namespace facegate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Names of two people, both of two characters that no id can hold.
constexpr char kZhangWei[] = "\xE5\xBC\xA0\xE4\xBC\x9F";
constexpr char kLiNa[] = "\xE6\x9D\x8E\xE5\xA8\x9C";

class EnrollFolderTest : public FacegateCliTest {
 protected:
  CliResult EnrollFolder(const std::string& folder, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"enroll", "--dir", dir_.File(folder), "--jobs", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }
};

TEST_F(EnrollFolderTest, EnrollsPeopleAndListsFailures) {
  Jpeg("people/1/a.jpg", "a");
  Jpeg("people/1/b.JPG", "a second");
  Jpeg("people/2/a.png", "b");
  Jpeg("people/2/none.png", "-");
  Jpeg("people/Jos\xC3\xA9 P/a.jpg", "c");
  server_.face.full_for = 3;
  const auto result = EnrollFolder("people");
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.out, HasSubstr("4 templates of 3 people enrolled"));
  EXPECT_THAT(result.out, HasSubstr("1 failed"));
  EXPECT_THAT(result.out, HasSubstr("none.png"));
  EXPECT_THAT(result.out, HasSubstr("NO_FACE"));
  const std::string jose = IdentityIdOf("Jos\xC3\xA9 P");
  EXPECT_THAT(result.err, HasSubstr("its identity is " + jose));
  const auto enrolled = server_.face.enrolled();
  EXPECT_THAT(enrolled.at("1"), ElementsAre('a', 'a'));
  EXPECT_THAT(enrolled.at("2"), ElementsAre('b'));
  EXPECT_THAT(enrolled.at(jose), ElementsAre('c'));
}

TEST_F(EnrollFolderTest, TakesTheFirstPhotosOfEachPerson) {
  Jpeg("people/1/b.jpg", "b");
  Jpeg("people/1/a.jpg", "a");
  EXPECT_EQ(EnrollFolder("people", {"--first", "1"}).code, 0);
  EXPECT_THAT(server_.face.enrolled().at("1"), ElementsAre('a'));
}

TEST_F(EnrollFolderTest, AddsAllPhotosOfAPersonWhoMustBeNew) {
  Jpeg("people/1/a.jpg", "a");
  Jpeg("people/1/b.jpg", "b");
  EXPECT_EQ(EnrollFolder("people", {"--must-be-new"}).code, 0);
  EXPECT_EQ(EnrollFolder("people", {"--must-be-new"}).code, 3);
  EXPECT_THAT(server_.face.enrolled().at("1"), ElementsAre('a', 'b'));
}

TEST_F(EnrollFolderTest, StopsWhenTheServerIsGone) {
  for (int i = 0; i < 20; ++i) Jpeg("people/" + std::to_string(i) + "/a.jpg", "a");
  server_.face.unavailable_after = 5;
  const auto result = Run({"--json", "enroll", "--dir", dir_.File("people"), "--jobs", "2"});
  EXPECT_EQ(result.code, 4);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["enrolled_templates"], 5);
  EXPECT_EQ(json["not_sent"], 15);
  EXPECT_THAT(result.err, HasSubstr("Socket closed"));
}

TEST_F(EnrollFolderTest, TellsNamesApartThatNoIdCanHold) {
  Jpeg(std::string("day1/") + kZhangWei + "/a.jpg", "a");
  Jpeg(std::string("day2/") + kLiNa + "/a.jpg", "b");
  EXPECT_EQ(EnrollFolder("day1").code, 0);
  EXPECT_EQ(EnrollFolder("day2").code, 0);
  const auto enrolled = server_.face.enrolled();
  EXPECT_THAT(enrolled.at(IdentityIdOf(kZhangWei)), ElementsAre('a'));
  EXPECT_THAT(enrolled.at(IdentityIdOf(kLiNa)), ElementsAre('b'));
  EXPECT_EQ(server_.gallery.labels(IdentityIdOf(kLiNa)).at("folder"), kLiNa);
}

TEST_F(EnrollFolderTest, KnowsANameThatIsSpelledDecomposed) {
  Jpeg("mac/Zoe\xCC\x88/a.jpg", "a");
  Jpeg("linux/Zo\xC3\xAB/b.jpg", "b");
  EXPECT_EQ(EnrollFolder("mac").code, 0);
  EXPECT_EQ(EnrollFolder("linux").code, 0);
  EXPECT_THAT(server_.face.enrolled().at(IdentityIdOf("Zo\xC3\xAB")), ElementsAre('a', 'b'));
}

TEST_F(EnrollFolderTest, AddsNothingToAnIdentityFromAnotherFolder) {
  Jpeg("people/2042/a.jpg", "a");
  ASSERT_EQ(EnrollFolder("people").code, 0);
  ASSERT_EQ(Run({"identity", "label", "2042", "folder=1017"}).code, 0);
  Jpeg("people/2042/b.jpg", "b");
  const auto result = EnrollFolder("people");
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.out, HasSubstr("2042 was enrolled from a folder named 1017"));
  EXPECT_THAT(server_.face.enrolled().at("2042"), ElementsAre('a'));
}

TEST_F(EnrollFolderTest, AddsToAnIdentityOfItsNameThatWasMadeByOtherMeans) {
  ASSERT_EQ(Run({"enroll", "2042", Jpeg("a.jpg", "a")}).code, 0);
  Jpeg("people/2042/b.jpg", "b");
  EXPECT_EQ(EnrollFolder("people").code, 0);
  EXPECT_THAT(server_.face.enrolled().at("2042"), ElementsAre('a', 'b'));
  EXPECT_EQ(server_.gallery.labels("2042").at("folder"), "2042");
}

TEST_F(EnrollFolderTest, AddsNothingTheSecondTime) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    Jpeg(std::string("people/1/") + name + ".jpg", name);  // more than a page of templates
  }
  Jpeg("people/2/a.jpg", "f");
  ASSERT_EQ(EnrollFolder("people").code, 0);
  const auto second = EnrollFolder("people");
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.out, HasSubstr("0 templates of 0 people enrolled"));
  EXPECT_THAT(second.out, HasSubstr("6 already enrolled"));
  EXPECT_EQ(server_.face.enroll_requests().size(), 6U);
}

TEST_F(EnrollFolderTest, CompletesWhatFailedTheFirstTime) {
  Jpeg("people/1/a.jpg", "a");
  Jpeg("people/1/b.jpg", "-");
  Jpeg("people/2/a.jpg", "c");
  server_.face.unavailable_after = 1;
  ASSERT_EQ(EnrollFolder("people").code, 4);
  server_.face.unavailable_after = 1'000'000;
  Jpeg("people/1/b.jpg", "b");  // a better photo under the same name
  const auto second = EnrollFolder("people");
  EXPECT_EQ(second.code, 0) << second.out << second.err;
  EXPECT_THAT(server_.face.enrolled().at("1"), ElementsAre('a', 'b'));
  EXPECT_THAT(server_.face.enrolled().at("2"), ElementsAre('c'));
}

TEST_F(EnrollFolderTest, CompletesWhatWasInterrupted) {
  for (const char* person : {"1", "2", "3"})
    Jpeg(std::string("people/") + person + "/a.jpg", person);
  const auto plan = PlanEnrolment(dir_.File("people"), 0);
  ASSERT_TRUE(plan.ok());
  const auto client = FacegateClient::Connect({.target = server_.target()});
  ASSERT_TRUE(client.ok());
  std::ostringstream shown;
  Progress progress(shown, false, 3);
  int asked = 0;
  const BulkReport report = EnrollPlan(
      **client, *plan,
      {.collection = "default", .jobs = 1, .interrupted = [&] { return ++asked > 3; }}, progress);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.templates, 1U);
  EXPECT_EQ(report.not_sent, 2U);
  const auto second = EnrollFolder("people");
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("1 already enrolled"));
  EXPECT_EQ(server_.face.enroll_requests().size(), 3U);
}

TEST(InterruptWatchTest, NotesTheFirstCtrlCAlone) {
  struct sigaction now {};
  {
    const InterruptWatch watch;
    EXPECT_FALSE(watch.interrupted());
    std::raise(SIGINT);
    EXPECT_TRUE(watch.interrupted());
    ::sigaction(SIGINT, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL);  // the second one ends the process
  }
  EXPECT_FALSE(InterruptWatch().interrupted());
}

TEST_F(EnrollFolderTest, KnowsAPhotoThatWasEnrolledByItself) {
  ASSERT_EQ(Run({"enroll", "2042", Jpeg("people/2042/a.jpg", "a")}).code, 0);
  const auto result = EnrollFolder("people");
  EXPECT_THAT(result.out, HasSubstr("1 already enrolled"));
  EXPECT_THAT(server_.face.digests("2042"), SizeIs(1));
}

TEST_F(EnrollFolderTest, EnrollsAgainWhereAsked) {
  Jpeg("people/1/a.jpg", "a");
  ASSERT_EQ(EnrollFolder("people").code, 0);
  EXPECT_EQ(EnrollFolder("people", {"--again"}).code, 0);
  EXPECT_THAT(server_.face.enrolled().at("1"), ElementsAre('a', 'a'));
}

TEST_F(EnrollFolderTest, ReadsPhotosByTheirContentAndNamesWhatItLeavesOut) {
  Jpeg("people/1/a.png", "a");
  Jpeg("people/1/b.jfif", "b");
  Jpeg("people/1/c", "c");
  Photo("people/1/scan.jpg", "GIF89a");
  Photo("people/1/notes.jpg", "Anna, in front of the house");
  Photo("people/1/Thumbs.db", "x");
  Photo("people/2/.hidden/a.jpg", "x");
  const auto result = EnrollFolder("people");
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(server_.face.enrolled().at("1"), UnorderedElementsAre('a', 'b', 'c'));
  EXPECT_THAT(result.out, HasSubstr("scan.jpg"));
  EXPECT_THAT(result.out, HasSubstr("GIF"));
  EXPECT_THAT(result.out, HasSubstr("2 left out"));
  EXPECT_THAT(result.out, HasSubstr("2 hidden or system files skipped"));
  EXPECT_THAT(result.out, Not(HasSubstr("Thumbs.db")));
}

// The fake server reads AVIF and not HEIC.
TEST_F(EnrollFolderTest, LeavesItToTheServerWhetherHeicAndAvifAreRead) {
  Jpeg("people/1/a.jpg", "a");
  Photo("people/1/b.avif", std::string(kAvifStart));
  Photo("people/1/IMG_0001.HEIC", std::string(kHeicStart));
  const auto result = EnrollFolder("people");
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(server_.face.enrolled().at("1"), SizeIs(2));
  EXPECT_THAT(result.out, HasSubstr("IMG_0001.HEIC"));
  EXPECT_THAT(result.out, HasSubstr("IMAGE_UNDECODABLE"));
  EXPECT_THAT(result.out, HasSubstr("1 failed"));
}

TEST_F(EnrollFolderTest, SaysRefusedOnlyOfWhatTheServerRefused) {
  for (const char* name : {"1/a.jpg", "2/b.jpg"}) {
    std::filesystem::resize_file(Jpeg(std::string("people/") + name, "a"), (64 << 20) + 1);
  }
  const auto unread = EnrollFolder("people");
  EXPECT_EQ(unread.code, 5) << unread.out;
  EXPECT_THAT(unread.out, HasSubstr("2 failed"));
  Jpeg("people/3/none.jpg", "-");
  EXPECT_EQ(EnrollFolder("people").code, 3);
}

TEST_F(EnrollFolderTest, ListsWhatItLeavesOutAsJson) {
  Photo("people/1/clip.mp4", std::string("\0\0\0\x18", 4) + "ftypisom\0\0\0\0");
  const auto result = Run({"--json", "enroll", "--dir", dir_.File("people")});
  EXPECT_EQ(result.code, 5);
  const auto json = nlohmann::json::parse(result.out);
  ASSERT_EQ(json["left_out"].size(), 1U);
  EXPECT_THAT(json["left_out"][0]["file"], HasSubstr("clip.mp4"));
  EXPECT_THAT(json["left_out"][0]["message"], HasSubstr("a video"));
  EXPECT_THAT(server_.face.enroll_requests(), IsEmpty());
}

}  // namespace
}  // namespace facegate::cli
