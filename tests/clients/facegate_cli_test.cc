#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <vector>

#include "tests/clients/cli_fixture.h"

namespace facegate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

bool IsOwnersAlone(const std::string& path) {
  const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  return (std::filesystem::status(path).permissions() & others) == std::filesystem::perms::none;
}

TEST_F(FacegateCliTest, EnrollsAllPhotosInOneRequest) {
  const auto result = Run({"enroll", "-c", "staff", "--select", "central", "1017",
                           Photo("a.jpg", "alice"), Photo("b.jpg", "another")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("identity 1017: created, 2 templates now"));
  const auto requests = server_.face.enroll_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].collection_id(), "staff");
  EXPECT_EQ(requests[0].samples(0).image(), "alice");
  EXPECT_EQ(requests[0].samples(0).face_selection(), v1::FACE_SELECTION_CENTRAL);
}

TEST_F(FacegateCliTest, SendsAlignedCropsAsSuch) {
  EXPECT_EQ(Run({"enroll", "--crop", "1017", Photo("a.png", "a")}).code, 0);
  EXPECT_TRUE(server_.face.enroll_requests().at(0).samples(0).has_aligned_crop());
}

TEST_F(FacegateCliTest, CreatesTheCollectionWhereItIsAbsent) {
  EXPECT_EQ(Run({"enroll", "--create-collection", "-c", "taken", "1", Photo("a.jpg", "a")}).code,
            0);
  EXPECT_THAT(server_.gallery.request_ids(), ElementsAre(MatchesRegex(kUuid)));
}

TEST_F(FacegateCliTest, PrintsTheReasonOfARefusal) {
  const auto result = Run({"enroll", "1017", Photo("a.jpg", "-")});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("NO_FACE: no face was found (field probe.image)"));
}

TEST_F(FacegateCliTest, PrintsTheReasonOfARefusalAsJson) {
  const auto result = Run({"--json", "enroll", "1017", Photo("a.jpg", "-")});
  EXPECT_EQ(result.code, 3);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["error"]["reason"], "NO_FACE");
  EXPECT_EQ(json["error"]["code"], "INVALID_ARGUMENT");
}

TEST_F(FacegateCliTest, RefusesAWrongCommandLine) {
  EXPECT_EQ(Run({}).code, 2);
  EXPECT_EQ(Run({"enroll"}).code, 2);
  EXPECT_EQ(Run({"enroll", "1017"}).code, 2);
  EXPECT_EQ(Run({"frobnicate"}).code, 2);
  EXPECT_EQ(Run({"identify", "--select", "prettiest", "a.jpg"}).code, 2);
  EXPECT_EQ(Run({"verify", "--select", "all", "1017", "a.jpg"}).code, 2);
  EXPECT_EQ(Run({"identify", "--min-cosine", "1.5", "a.jpg"}).code, 2);
  EXPECT_EQ(Run({"identify", "--crop", "--select", "central", "a.jpg"}).code, 2);
  EXPECT_EQ(Run({"identify", "--unique", "--select", "central", "a.jpg"}).code, 2);
  EXPECT_EQ(Run({"identify", "--unique", "--crop", "a.jpg"}).code, 2);
  EXPECT_EQ(Run({"compare", "a.jpg"}).code, 2);
  EXPECT_EQ(Run({"compare", "a.jpg", "b.jpg", "c.jpg"}).code, 2);
  EXPECT_EQ(Run({"template", "delete", "1017", "last"}).code, 2);
  EXPECT_EQ(Run({"identify", dir_.File("absent.jpg")}).code, 2);
  EXPECT_EQ(Run({"identify", dir_.path().string()}).code, 2);
  EXPECT_EQ(Run({"identify", Photo("empty.jpg", "")}).code, 2);
}

TEST_F(FacegateCliTest, ExplainsItselfOnRequest) {
  const auto help = Run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("Exit codes:"));
  for (const char* command : {"enroll", "identify", "verify", "compare", "embed", "detect",
                              "collection", "identity", "template", "info"}) {
    const auto result = Run({command, "--help"});
    EXPECT_EQ(result.code, 0) << command;
    EXPECT_THAT(result.out, HasSubstr("Example")) << command;
    EXPECT_THAT(result.out, HasSubstr(std::string("facegate ") + command)) << command;
  }
  for (const char* command : {"get", "list", "label", "rename", "merge", "delete"}) {
    const auto result = Run({"identity", command, "--help"});
    EXPECT_EQ(result.code, 0) << command;
    EXPECT_THAT(result.out, HasSubstr(std::string("identity ") + command)) << command;
  }
}

TEST_F(FacegateCliTest, SuggestsWhatWasPerhapsMeant) {
  const std::pair<std::vector<std::string>, const char*> mistakes[] = {
      {{"identfy", "a.jpg"}, "there is no command 'identfy'; did you mean identify?"},
      {{"enrolment", "1"}, "did you mean enroll?"},
      {{"identity", "lst"}, "did you mean list?"},
      {{"frobnicate"}, "the commands are enroll, identify"},
      {{}, "a command is missing; the commands are enroll"},
      {{"identify", "--min_cosine", "0.4", "a.jpg"}, "did you mean --min-cosine?"},
      {{"verify", "--colection=staff", "1", "a.jpg"}, "did you mean --collection?"},
      {{"--jsno", "info"}, "did you mean --json?"},
  };
  for (const auto& [arguments, expected] : mistakes) {
    const auto result = Run(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr(expected));
  }
}

TEST_F(FacegateCliTest, TellsUnknownArgumentsInTheirOrder) {
  const auto result = Run({"info", "--one", "two", "--three"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("these arguments are not known: --one two --three"));
}

TEST_F(FacegateCliTest, TakesTheBritishSpelling) {
  EXPECT_EQ(Run({"enrol", "2042", Photo("a.jpg", "a")}).code, 0);
  EXPECT_EQ(server_.face.enroll_requests().size(), 1U);
}

TEST_F(FacegateCliTest, WritesFilesUnderOneOption) {
  const std::string photo = dir_.File("photo.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(48, 64, CV_8UC3, cv::Scalar(0, 0, 0))));
  for (const char* option : {"-o", "--out"}) {
    EXPECT_EQ(Run({"embed", photo, option, dir_.File("a.npy")}).code, 0) << option;
    EXPECT_EQ(Run({"detect", photo, option, dir_.File("a.png")}).code, 0) << option;
    EXPECT_NE(Run({"identify", photo, option, dir_.File("page.png")}).code, 2) << option;
    for (const char* file : {"a.npy", "a.png", "page.png"}) {
      EXPECT_TRUE(std::filesystem::remove(dir_.File(file))) << file;
    }
  }
  EXPECT_EQ(Run({"embed", photo, "--output", dir_.File("a.npy")}).code, 0);
}

TEST_F(FacegateCliTest, SaysThatAServerIsNoUrl) {
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCli({"info", "--server", "http://faces:50051"}, out, err, {}), 2);
  EXPECT_THAT(err.str(), HasSubstr("the server's address is a URL; expected HOST:PORT, such as "
                                   "faces:50051"));
}

TEST_F(FacegateCliTest, ShowsFaceRankAndNumberOfTheTemplate) {
  ASSERT_EQ(Run({"enroll", "2042", Photo("a.jpg", "a")}).code, 0);
  const auto table = Run({"identify", dir_.File("a.jpg")});
  EXPECT_THAT(table.out, HasSubstr("#  RANK  DECISION"));
  EXPECT_THAT(
      table.out,
      MatchesRegex("(.|\n)*a\\.jpg  1     1  MATCH     2042      0\\.9000       101  (.|\n)*"));
  EXPECT_THAT(Run({"--json", "identify", dir_.File("a.jpg")}).out,
              HasSubstr("collections/default/identities/2042/templates/101"));
}

TEST_F(FacegateCliTest, SaysThatNothingListens) {
  std::ostringstream out;
  std::ostringstream err;
  std::string dead;
  {
    const FakeServer gone;
    dead = gone.target();
  }
  EXPECT_EQ(RunCli({"info", "--server", dead}, out, err, {}), 4);
  EXPECT_THAT(err.str(), HasSubstr(dead));
}

TEST_F(FacegateCliTest, IdentifiesEachPhoto) {
  ASSERT_EQ(Run({"enroll", "1017", Photo("a.jpg", "a")}).code, 0);
  const auto known = Run({"identify", "--top", "3", "--nearest", Photo("a2.jpg", "a two")});
  EXPECT_EQ(known.code, 0);
  EXPECT_THAT(known.out, HasSubstr("1017"));
  EXPECT_THAT(known.out, HasSubstr("0.9000"));
  EXPECT_THAT(known.out, HasSubstr("not calibrated"));
  EXPECT_EQ(server_.face.last_identify().max_candidates(), 3U);
  EXPECT_TRUE(server_.face.last_identify().include_below_threshold());

  const auto stranger = Run({"identify", Photo("z.jpg", "z"), dir_.File("a2.jpg")});
  EXPECT_EQ(stranger.code, 1);
  EXPECT_THAT(stranger.out, HasSubstr("NO_MATCH"));
}

TEST_F(FacegateCliTest, WaitsForAFullQueue) {
  const std::string photo = Photo("a.jpg", "a");
  ASSERT_EQ(Run({"enroll", "1017", photo}).code, 0);
  server_.face.full_for = 3;
  EXPECT_EQ(Run({"identify", photo, photo}).code, 0);
}

TEST_F(FacegateCliTest, ShowsHelpThatFitsTheTerminal) {
  std::ostringstream out;
  std::ostringstream err;
  ASSERT_EQ(RunCli({"enroll", "--help"}, out, err, {.columns = 80}), 0);
  std::istringstream help(out.str());
  for (std::string line; std::getline(help, line);) {
    // The names of options, and examples, are not broken into lines.
    const bool text = !line.starts_with("  ") || line.starts_with(std::string(10, ' '));
    EXPECT_TRUE(!text || line.size() <= 80) << line;
  }
  EXPECT_THAT(out.str(), HasSubstr("--again"));
  EXPECT_THAT(out.str(), HasSubstr("\n  facegate enroll 1017 front.jpg side.jpg\n"));
}

TEST_F(FacegateCliTest, IdentifiesEachPersonOnceWhereAsked) {
  ASSERT_EQ(Run({"enroll", "1017", Photo("a.jpg", "a")}).code, 0);
  for (const std::vector<std::string>& select : {std::vector<std::string>{}, {"--select", "all"}}) {
    std::vector<std::string> arguments = {"identify", "--unique", dir_.File("a.jpg")};
    arguments.insert(arguments.end(), select.begin(), select.end());
    EXPECT_EQ(Run(arguments).code, 0);
    const v1::IdentifyRequest request = server_.face.last_identify();
    EXPECT_TRUE(request.unique_identities());
    EXPECT_EQ(request.probe().face_selection(), v1::FACE_SELECTION_ALL);
  }
  EXPECT_EQ(Run({"identify", "--select", "all", dir_.File("a.jpg")}).code, 0);
  EXPECT_FALSE(server_.face.last_identify().unique_identities());
}

TEST_F(FacegateCliTest, ListsAnswersAndRefusalsOfSeveralPhotosAsJson) {
  ASSERT_EQ(Run({"enroll", "1017", Photo("a.jpg", "a")}).code, 0);
  const auto result =
      Run({"--json", "identify", "--min-cosine", "0.25", dir_.File("a.jpg"), Photo("n.jpg", "-")});
  EXPECT_EQ(result.code, 3);
  const auto json = nlohmann::json::parse(result.out);
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["results"][0]["candidates"][0]["identity_id"], "1017");
  EXPECT_EQ(json[0]["basis"]["threshold"], 0.25);
  EXPECT_EQ(json[1]["error"]["reason"], "NO_FACE");
}

TEST_F(FacegateCliTest, VerifiesAndComparesWithTheExitCode) {
  const std::string alice = Photo("a.jpg", "a");
  const std::string bob = Photo("b.jpg", "b");
  ASSERT_EQ(Run({"enroll", "1017", alice}).code, 0);
  EXPECT_EQ(Run({"verify", "1017", alice}).code, 0);
  EXPECT_EQ(Run({"verify", "1017", alice, bob}).code, 1);
  EXPECT_EQ(Run({"verify", "9999", alice}).code, 3);
  EXPECT_EQ(Run({"compare", alice, alice}).code, 0);
  EXPECT_EQ(Run({"compare", alice, bob}).code, 1);
  EXPECT_EQ(Run({"compare", "--min-cosine", "0.05", alice, bob}).code, 0);
}

TEST_F(FacegateCliTest, WritesAnEmbeddingThatNumPyReads) {
  const std::string file = dir_.File("face.npy");
  ASSERT_EQ(Run({"embed", Photo("a.jpg", "a"), "-o", file}).code, 0);
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ASSERT_EQ(bytes.size(), 128U + 3 * 4);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_THAT(bytes, HasSubstr("'descr': '<f4', 'fortran_order': False, 'shape': (3,)"));
  EXPECT_EQ(bytes.substr(128, 4), std::string("\x00\x00\x00\x3F", 4));  // 0.5
  EXPECT_TRUE(IsOwnersAlone(file));
}

TEST_F(FacegateCliTest, DrawsFacesOntoThePhoto) {
  const std::string photo = dir_.File("photo.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(48, 64, CV_8UC3, cv::Scalar(0, 0, 0))));
  const std::string drawn = dir_.File("drawn.png");
  const auto result = Run({"detect", "--draw", drawn, photo});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1 face in 64x48 pixels"));
  const cv::Mat picture = cv::imread(drawn);
  ASSERT_EQ(picture.size(), cv::Size(64, 48));
  EXPECT_GT(picture.at<cv::Vec3b>(20, 8)[1], 100);  // on the left edge of the box
  EXPECT_EQ(picture.at<cv::Vec3b>(45, 60), cv::Vec3b(0, 0, 0));
  EXPECT_TRUE(IsOwnersAlone(drawn));
}

TEST_F(FacegateCliTest, DrawsAPageOfWhoWasFound) {
  const std::string photo = dir_.File("door.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(48, 64, CV_8UC3, cv::Scalar(200, 0, 0))));
  const std::string page = dir_.File("page.png");
  const auto plain = Run({"identify", photo, photo, dir_.File("absent.png")});
  const auto result = Run({"identify", "--sheet", page, photo, photo, dir_.File("absent.png")});
  EXPECT_EQ(result.code, plain.code) << result.err;
  EXPECT_EQ(result.out, plain.out);
  const cv::Mat picture = cv::imread(page);
  ASSERT_FALSE(picture.empty());
  // Three places in a row, the photo in the middle of the first two, nothing in the third.
  EXPECT_EQ(picture.cols, 14 + 3 * (168 + 14));
  EXPECT_GT(picture.at<cv::Vec3b>(34 + 84, 14 + 84)[0], 150);
  EXPECT_LT(picture.at<cv::Vec3b>(34 + 84, 14 + 84)[1], 60);
  EXPECT_EQ(picture.at<cv::Vec3b>(34 + 84, 14 + 2 * 182 + 84), cv::Vec3b(228, 228, 228));
  EXPECT_TRUE(IsOwnersAlone(page));
}

TEST_F(FacegateCliTest, OverwritesNoPhotoWithWhatItDraws) {
  const std::string photo = dir_.File("photo.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(48, 64, CV_8UC3, cv::Scalar(0, 0, 0))));
  const std::string link = dir_.File("link.png");
  std::filesystem::create_symlink(photo, link);
  for (const char* command : {"detect", "identify"}) {
    for (const std::string& output : {photo, link}) {
      const auto result = Run({command, photo, "--out", output});
      EXPECT_EQ(result.code, 2) << command;
      EXPECT_THAT(result.err, HasSubstr("would be overwritten")) << command;
    }
  }
}

TEST_F(FacegateCliTest, RefusesNumbersThatAreNone) {
  for (const char* number : {"nan", "inf", "0.4x", "", "2"}) {
    const auto result = Run({"identify", "--min-cosine", number, "a.jpg"});
    EXPECT_EQ(result.code, 2) << number;
    EXPECT_THAT(result.err, HasSubstr("is not a number between -1 and 1")) << number;
  }
  EXPECT_THAT(Run({"identify", "--top", "1.5", "a.jpg"}).err,
              HasSubstr("'1.5' is not a whole number between 1 and 1000000"));
  EXPECT_THAT(Run({"--timeout", "0", "info"}).err, HasSubstr("between 0.001 and 86400"));
}

TEST_F(FacegateCliTest, RimsScoresSoThatLightHairDoesNotHideThem) {
  const std::string photo = dir_.File("photo.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(235))));
  const std::string drawn = dir_.File("drawn.png");
  ASSERT_EQ(Run({"detect", "--draw", drawn, photo}).code, 0);
  const cv::Mat picture = cv::imread(drawn);
  // The box begins at 8,10: above it there is only the score.
  cv::Mat dark;
  cv::inRange(picture(cv::Rect(8, 0, 40, 8)), cv::Scalar::all(0), cv::Scalar::all(60), dark);
  EXPECT_GT(cv::countNonZero(dark), 20);
}

TEST_F(FacegateCliTest, SaysThatAPageCannotBeWritten) {
  const std::string photo = dir_.File("door.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(48, 64, CV_8UC3, cv::Scalar(200, 0, 0))));
  const auto result = Run({"identify", "--sheet", dir_.File("page.nothing"), photo});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("page.nothing: does not end in"));
}

TEST_F(FacegateCliTest, RefusesToDrawWhereThePictureIsAnother) {
  const std::string photo = dir_.File("photo.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(50, 50, CV_8UC3, cv::Scalar(0, 0, 0))));
  const auto result = Run({"detect", "--draw", dir_.File("drawn.png"), photo});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("50x50 here, but the server saw 64x48"));
}

TEST_F(FacegateCliTest, FollowsPagesToTheEndOrTheLimit) {
  const auto all = nlohmann::json::parse(Run({"--json", "identity", "list"}).out);
  EXPECT_EQ(all["identities"].size(), 7U);
  const auto some = nlohmann::json::parse(Run({"identity", "list", "--limit", "4", "--json"}).out);
  EXPECT_EQ(some["identities"].size(), 4U);
  EXPECT_EQ(some["identities"][3]["id"], "id3");
}

TEST_F(FacegateCliTest, ManagesCollectionsAndIdentities) {
  const auto created = Run({"collection", "create", "staff", "--min-cosine", "0.4"});
  EXPECT_EQ(created.code, 0) << created.err;
  EXPECT_THAT(created.out, HasSubstr("0.4000"));
  EXPECT_EQ(Run({"collection", "create", "taken"}).code, 3);
  const auto deleted = Run({"identity", "delete", "1017"});
  EXPECT_THAT(deleted.out, HasSubstr("its 3 templates deleted"));
}

TEST_F(FacegateCliTest, WaitsForTheServer) {
  server_.health.not_ready_for = 2;
  const auto result = Run({"info", "--wait", "30"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("fake-net"));
}

TEST_F(FacegateCliTest, TellsWhatSearches) {
  EXPECT_THAT(Run({"info"}).out, HasSubstr("cuda:0 (FAKE H1), 25000 templates on it"));
}

}  // namespace
}  // namespace facegate::cli
