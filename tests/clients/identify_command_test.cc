// What `facegate identify` asks for, and how it shows answers of several collections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/clients/cli_fixture.h"

namespace facegate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class IdentifyCommandTest : public FacegateCliTest {
 protected:
  IdentifyCommandTest() : photo_(Photo("a.jpg", "a")) {
    EXPECT_EQ(Run({"enroll", "1017", photo_}).code, 0);
  }
  CliResult Identify(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "identify");
    return Run(arguments);
  }

  const std::string photo_;
};

TEST_F(IdentifyCommandTest, SendsLabelsAndTakesTheRestForPhotos) {
  const auto result =
      Identify({"--label", "floor=2", "--label", "note=a=b", photo_, Photo("b.jpg", "a")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("b.jpg"));
  EXPECT_THAT(server_.face.last_identify().labels(),
              UnorderedElementsAre(Pair("floor", "2"), Pair("note", "a=b")));
  EXPECT_EQ(Identify({photo_}).code, 0);
  EXPECT_THAT(server_.face.last_identify().labels(), IsEmpty());
}

TEST_F(IdentifyCommandTest, RefusesLabelsThatMakeNoSense) {
  for (const std::string label : {"floor", "=2"}) {
    const auto result = Identify({"--label", label, photo_});
    EXPECT_EQ(result.code, 2) << label;
    EXPECT_THAT(result.err, HasSubstr("--label " + label + " is not KEY=VALUE"));
  }
  const auto twice = Identify({"--label", "floor=2", "--label", "floor=3", photo_});
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.err, HasSubstr("--label floor is given twice"));
  EXPECT_EQ(server_.face.last_identify().collection_id(), "") << "nothing was sent";
}

TEST_F(IdentifyCommandTest, SearchesTheDefaultCollectionAlone) {
  const auto result = Identify({photo_});
  EXPECT_EQ(server_.face.last_identify().collection_id(), "default");
  EXPECT_THAT(server_.face.last_identify().more_collection_ids(), IsEmpty());
  EXPECT_THAT(result.out, Not(HasSubstr("COLLECTION")));
  EXPECT_THAT(result.out, HasSubstr("; 1 identity searched"));
  EXPECT_THAT(Run({"identify", "--help"}).out, HasSubstr("-c staff -c visitors"));
}

TEST_F(IdentifyCommandTest, SearchesSeveralCollections) {
  const auto result =
      Identify({"-c", "staff", "-c", "visitors", "--collection", "guests", photo_, photo_});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(server_.face.last_identify().collection_id(), "staff");
  EXPECT_THAT(server_.face.last_identify().more_collection_ids(),
              ElementsAre("visitors", "guests"));
  EXPECT_THAT(result.out, HasSubstr("DECISION  COLLECTION  IDENTITY"));
  EXPECT_THAT(result.out,
              MatchesRegex("(.|\n)*a\\.jpg  1     1  MATCH     staff       1017 (.|\n)*"));
  EXPECT_THAT(result.out, MatchesRegex("(.|\n)*\nstaff: threshold [^\n]*; 1 identity searched\n"
                                       "visitors: threshold [^\n]*; 0 identities searched\n"
                                       "guests: [^\n]*\n"));
}

TEST_F(IdentifyCommandTest, ShowsTheCollectionOfEachCandidateAsJson) {
  const auto json =
      nlohmann::json::parse(Identify({"--json", "-c", "staff", "-c", "b", photo_}).out);
  EXPECT_EQ(json[0]["results"][0]["candidates"][0]["collection_id"], "staff");
  EXPECT_EQ(json[0]["searched"][1]["collection_id"], "b");
}

TEST_F(IdentifyCommandTest, RefusesACollectionThatIsGivenTwice) {
  const auto result = Identify({"-c", "staff", "-c", "staff", photo_});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--collection staff is given twice"));
}

TEST_F(IdentifyCommandTest, SaysWithWhichCollectionsAFaceWasNotCompared) {
  const std::string poor = Photo("poor.jpg", "^");
  ASSERT_EQ(Run({"enroll", "2042", poor}).code, 0);
  const auto some = Identify({"-c", "staff", "-c", "b", "-c", "c", poor});
  EXPECT_EQ(some.code, 0) << "it matches in the first";
  EXPECT_THAT(some.out, HasSubstr("poor.jpg, face 1, not compared with b, c: come closer: "));
  const auto none = Identify({"-c", "staff", "-c", "b", Photo("small.jpg", "~")});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.out, HasSubstr("small.jpg, face 1: come closer: "));
}

}  // namespace
}  // namespace facegate::cli
