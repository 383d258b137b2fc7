#include "clients/cpp/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Wrong(const std::string& target) { return WrongWithTarget(target).value_or(""); }

TEST(TargetTest, TakesWhatGrpcKnows) {
  for (const char* target :
       {"127.0.0.1:50051", "localhost:1", "faces.example.org:65535", "[::1]:50051",
        "dns:///faces:50051", "unix:///run/facegate.sock", "ipv4:10.0.0.1:50051,10.0.0.2:50051"}) {
    EXPECT_EQ(Wrong(target), "") << target;
  }
}

TEST(TargetTest, SaysThatAUrlIsNoAddress) {
  EXPECT_THAT(Wrong("http://10.0.0.1:50051"), HasSubstr("is a URL; expected HOST:PORT, such as "
                                                        "10.0.0.1:50051"));
  EXPECT_THAT(Wrong("https://faces.example.org/v1"), HasSubstr("faces.example.org:50051"));
  EXPECT_THAT(Wrong("grpc://faces:7777/"), HasSubstr("such as faces:7777"));
}

TEST(TargetTest, KeepsPasswordsToItself) {
  for (const char* target : {"https://user:secret@faces:7777/v1", "https://user:secret@faces:7777",
                             "user:secret@faces:7777", "https://user:se/secret@faces:7777",
                             "https://user:p@secret@faces:7777", "user:secret@faces:7777/v1",
                             "https://faces:7777/v1?token=secret", "faces:7777/v1?secret"}) {
    EXPECT_THAT(Wrong(target), AllOf(HasSubstr("such as faces:7777"), Not(HasSubstr("secret"))));
  }
  EXPECT_THAT(Wrong("https://user:sec secret@faces"), Not(HasSubstr("secret")));
}

TEST(TargetTest, SaysWhatIsMissingOrTooMuch) {
  EXPECT_THAT(Wrong("localhost"), HasSubstr("has no port; expected HOST:PORT, such as "
                                            "localhost:50051"));
  EXPECT_THAT(Wrong("[::1]"), HasSubstr("has no port"));
  EXPECT_THAT(Wrong(":50051"), HasSubstr("has no host"));
  EXPECT_THAT(Wrong("localhost:50051/"), HasSubstr("has a path; expected HOST:PORT, such as "
                                                   "localhost:50051"));
  EXPECT_THAT(Wrong(" localhost:50051"), HasSubstr("has a space in it"));
  EXPECT_THAT(Wrong("::1:50051"), HasSubstr("without brackets"));
  EXPECT_THAT(Wrong("localhost:http"), HasSubstr("'http' is not a port"));
  EXPECT_THAT(Wrong("localhost:0"), HasSubstr("not a port"));
  EXPECT_THAT(Wrong("localhost:65536"), HasSubstr("not a port"));
  EXPECT_THAT(Wrong("localhost:"), HasSubstr("not a port"));
  EXPECT_THAT(Wrong(""), HasSubstr("is empty"));
}

}  // namespace
}  // namespace facegate
