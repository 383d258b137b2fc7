#include "server/rpc/resource_name.h"

#include <gtest/gtest.h>

#include <string>

namespace facegate {
namespace {

TEST(ResourceNameTest, ATemplateNameComesBackAsItWas) {
  const TemplatePath path{"staff", "a.b_c-9", 18446744073709551615u};
  EXPECT_EQ(ParseTemplateName(TemplateName(path.collection, path.identity, path.template_id)),
            path);
}

TEST(ResourceNameTest, RefusesEverythingElse) {
  for (const std::string name : {
           "",
           "collections",
           "collections/a/identities/b",
           "collections/a/identities/b/templates",
           "collections/a/identities/b/templates/",
           "collections/a/identities/b/templates/0",
           "collections/a/identities/b/templates/01",
           "collections/a/identities/b/templates/-1",
           "collections/a/identities/b/templates/+1",
           "collections/a/identities/b/templates/1x",
           "collections/a/identities/b/templates/1/",
           "collections/a/identities/b/templates/18446744073709551616",
           "collections//identities/b/templates/1",
           "collections/a/identities//templates/1",
           "collections/../identities/b/templates/1",
           "collections/a b/identities/b/templates/1",
           "Collections/a/identities/b/templates/1",
           "/collections/a/identities/b/templates/1",
           " collections/a/identities/b/templates/1",
       }) {
    EXPECT_FALSE(ParseTemplateName(name).has_value()) << name;
  }
  const std::string whole = "collections/a/identities/b/templates/12";
  for (size_t length = 0; length + 2 < whole.size(); ++length) {
    EXPECT_FALSE(ParseTemplateName(whole.substr(0, length)).has_value()) << length;
  }
  EXPECT_FALSE(
      ParseTemplateName("collections/" + std::string(129, 'a') + "/identities/b/templates/1")
          .has_value());
}

}  // namespace
}  // namespace facegate
