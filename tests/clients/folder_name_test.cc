#include "clients/cli/folder_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace facegate::cli {
namespace {

using ::testing::MatchesRegex;
using ::testing::SizeIs;

constexpr char kIdPattern[] = "[A-Za-z0-9][A-Za-z0-9._-]+";

TEST(FolderNameTest, KeepsANameThatIsAnId) {
  for (const std::string name : {"Anna-2.b_c", "1017", "a", "x______"}) {
    EXPECT_EQ(IdentityIdOf(name), name);
  }
  EXPECT_EQ(IdentityIdOf(std::string(128, 'a')), std::string(128, 'a'));
}

TEST(FolderNameTest, GivesEachNameAnIdOfItsOwn) {
  const std::string names[] = {
      "\xE5\xBC\xA0\xE4\xBC\x9F",  // two names of two Chinese characters
      "\xE6\x9D\x8E\xE5\xA8\x9C",
      "\xD0\x90\xD0\xBD\xD0\xBD\xD0\xB0",  // "Anna" in Russian, and in lower case
      "\xD0\xB0\xD0\xBD\xD0\xBD\xD0\xB0",
      "Zo\xC3\xAB",
      "Zoe",
      "ZO\xC3\x8B",
      "Anna Berg",
      "Anna_Berg",
      "anna berg",
      "Anna  Berg",
      "\xF0\x9F\x98\x80",
      "_hidden",
      "-x",
      "Zo\xEB",
      "Zo\xEA",  // the last two are Latin-1
      std::string(129, 'a'),
      std::string(128, 'a'),
      std::string(128, 'a') + "b"};
  std::set<std::string> ids;
  for (const std::string& name : names) {
    const std::string id = IdentityIdOf(name);
    EXPECT_THAT(id, MatchesRegex(kIdPattern)) << name;
    EXPECT_LE(id.size(), 128U) << name;
    ids.insert(id);
  }
  EXPECT_THAT(ids, SizeIs(std::size(names)));
}

TEST(FolderNameTest, ComposesFirst) {
  EXPECT_EQ(IdentityIdOf("Zoe\xCC\x88"), IdentityIdOf("Zo\xC3\xAB"));
  // Two marks of one letter, in either order.
  EXPECT_EQ(IdentityIdOf("a\xCC\xA3\xCC\x82"), IdentityIdOf("a\xCC\x82\xCC\xA3"));
  EXPECT_EQ(FolderLabelOf("Zoe\xCC\x88"), "Zo\xC3\xAB");
}

TEST(FolderNameTest, KeepsWhatPeopleRecognise) {
  EXPECT_THAT(IdentityIdOf("Zo\xC3\xAB M\xC3\xBCller"), MatchesRegex("Zoe_Muller-[0-9a-f]{16}"));
  EXPECT_THAT(IdentityIdOf("\xE5\xBC\xA0\xE4\xBC\x9F"), MatchesRegex("name-[0-9a-f]{16}"));
}

// Ids are stored: they must be the same in every version.
TEST(FolderNameTest, IsTheSameForEver) {
  EXPECT_EQ(IdentityIdOf("Anna Berg"), "Anna_Berg-3dcbff280cbcfe20");
}

TEST(FolderNameTest, MakesLabelsThatAServerTakes) {
  EXPECT_EQ(FolderLabelOf("Anna Berg"), "Anna Berg");
  EXPECT_EQ(FolderLabelOf("a\nb\xE2\x80\xAE\x63\x7F"), "abc");
  EXPECT_EQ(FolderLabelOf("Zo\xEB"), "Zo\xEF\xBF\xBD");
  // 86 characters of three bytes do not fit into 256 bytes, and none is cut in two.
  std::string name;
  for (int i = 0; i < 86; ++i) name += "\xE5\xBC\xA0";
  EXPECT_THAT(FolderLabelOf(name), SizeIs(255));
}

}  // namespace
}  // namespace facegate::cli
