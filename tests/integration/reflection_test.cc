#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "face/base/file.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/child_process.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

using ::testing::IsSupersetOf;

// Debian's Python, whose packages deploy/bootstrap.sh installs; another one in PATH lacks them.
constexpr char kPython[] = "/usr/bin/python3";

class ReflectionTest : public RunningServerTest {};

TEST_F(ReflectionTest, LetsPlainPythonListTheServicesAndIdentify) {
  const auto packages =
      RunCommand({kPython, "-c", "import grpc, google.protobuf"}, std::chrono::seconds(60));
  if (!packages.ok() || packages->exit_code != 0) {
    GTEST_SKIP() << "SKIPPED: needs Debian's python3-grpcio and python3-protobuf; "
                    "deploy/bootstrap.sh installs them";
  }
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(CreateCollection("staff"));
  const std::string crop = Encode(SyntheticCrop(7), ".png");
  const auto enrolled = client_->Enroll(EnrollCrops("staff", "1017", {crop}));
  ASSERT_TRUE(enrolled.ok()) << enrolled.error();
  const std::string crop_file = dir_.File("crop.png");
  ASSERT_THAT(WriteFileAtomically(crop_file, crop), IsOk());

  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const CommandResult result,
      RunCommand({kPython, FACEGATE_SOURCE_DIR "/tests/integration/reflection_client.py",
                  server_->target(), "staff", "--crop", crop_file, "--min-cosine", "0.9"},
                 std::chrono::seconds(90)));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto json = nlohmann::json::parse(result.output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << result.output;
  EXPECT_THAT(json["services"].get<std::vector<std::string>>(),
              IsSupersetOf({"facegate.v1.FaceService", "facegate.v1.GalleryService",
                            "facegate.v1.AdminService"}));
  const auto& best = json["identify"]["results"][0]["candidates"][0];
  EXPECT_EQ(best["identity_id"], "1017");
  EXPECT_EQ(best["decision"], "DECISION_MATCH");
  EXPECT_GT(best["cosine"].get<float>(), 0.9999F);
}

TEST_F(ReflectionTest, IsOffWhereTheConfigurationSaysSo) {
  const auto packages =
      RunCommand({kPython, "-c", "import grpc, google.protobuf"}, std::chrono::seconds(60));
  if (!packages.ok() || packages->exit_code != 0) {
    GTEST_SKIP() << "SKIPPED: needs Debian's python3-grpcio and python3-protobuf; "
                    "deploy/bootstrap.sh installs them";
  }
  options_.flags.emplace_back("--reflection=false");
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const std::string crop_file = dir_.File("crop.png");
  ASSERT_THAT(WriteFileAtomically(crop_file, "crop"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const CommandResult result,
      RunCommand({kPython, FACEGATE_SOURCE_DIR "/tests/integration/reflection_client.py",
                  server_->target(), "staff", "--crop", crop_file},
                 std::chrono::seconds(90)));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, ::testing::HasSubstr("UNIMPLEMENTED"));
}

}  // namespace
}  // namespace facegate
