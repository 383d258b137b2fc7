#include "server/rpc/listen_address.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(ListenAddressTest, ComesBackAsItWas) {
  for (const std::string text : {"127.0.0.1:50051", "[::1]:0", "localhost:65535", "0.0.0.0:1"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const ListenAddress address, ParseListenAddress(text));
    EXPECT_EQ(ToString(address), text);
  }
}

TEST(ListenAddressTest, RefusesEverythingElse) {
  for (const std::string text :
       {"", ":", ":80", "localhost", "localhost:", "localhost:65536", "localhost:-1",
        "localhost:80x", "localhost: 80", "::1:80", "[]:80", "[::1]", "unix:/tmp/socket"}) {
    EXPECT_THAT(ParseListenAddress(text), StatusIs(StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace facegate
