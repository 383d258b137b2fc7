#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/server/app_fixture.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class PortFileTest : public AppTest {
 protected:
  PortFileTest() { config_.port_file = dir_.File("port"); }

  std::string Content() const {
    std::ifstream in(config_.port_file);
    std::string line;
    std::getline(in, line);
    return line;
  }
};

TEST_F(PortFileTest, IsThereWhileTheServerServes) {
  Open();
  EXPECT_FALSE(std::filesystem::exists(config_.port_file)) << "it has not loaded yet";
  ASSERT_THAT(app_->Load([] { return false; }), IsOk());
  EXPECT_EQ(Content(), std::to_string(app_->port()));
  app_->Stop(0s);
  EXPECT_FALSE(std::filesystem::exists(config_.port_file));
}

TEST_F(PortFileTest, ASecondServerThatFailsAtTheStoreLeavesItAlone) {
  Serve();
  const std::string first = Content();
  {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto second,
                                  App::Create(config_, FakeParts(), Clock::System()));
    const Status refused = second->Load([] { return false; });
    EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("in use"));
    EXPECT_EQ(Content(), first);
  }
  EXPECT_EQ(Content(), first) << "after the second has gone";
}

TEST_F(PortFileTest, AServerThatEndsLeavesTheFileOfItsSuccessor) {
  Serve();
  std::ofstream(config_.port_file) << "1\n";
  app_->Stop(0s);
  EXPECT_EQ(Content(), "1");
}

TEST_F(PortFileTest, OneThatCannotBeWrittenFailsTheStart) {
  config_.port_file = dir_.File("no-such-folder/port");
  Open();
  const Status failed = app_->Load([] { return false; });
  EXPECT_FALSE(failed.ok());
  EXPECT_THAT(std::string(MessageOf(failed)), HasSubstr("port_file"));
}

// Returns what the server logs while it loads with a data_dir of these permissions.
class DataDirTest : public AppTest {
 protected:
  std::string LogWithAccess(mode_t access) {
    std::filesystem::create_directories(config_.data_dir);
    EXPECT_EQ(::chmod(config_.data_dir.c_str(), access), 0);
    ::testing::internal::CaptureStderr();
    Serve();
    app_.reset();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(DataDirTest, WarnsOnceWhereOthersMayReachIt) {
  for (const mode_t access : {0755U, 0710U, 0701U}) {
    const std::string log = LogWithAccess(access);
    const size_t at = log.find(fmt::format("data_dir has the permissions {:04o}", access));
    ASSERT_NE(at, std::string::npos) << log;
    EXPECT_THAT(log.substr(at, 60), HasSubstr("expected 0700"));
    EXPECT_EQ(log.find("data_dir has", at + 1), std::string::npos) << log;
  }
}

TEST_F(DataDirTest, DoesNotWarnOfAFolderOfItsOwn) {
  EXPECT_THAT(LogWithAccess(0700), Not(HasSubstr("data_dir has")));
  std::filesystem::remove_all(config_.data_dir);
  ::testing::internal::CaptureStderr();
  Serve();  // makes it
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("data_dir has")));
}

}  // namespace
}  // namespace facegate
