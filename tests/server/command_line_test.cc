#include "server/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using Action = CommandLine::Action;

StatusOr<CommandLine> Parse(std::vector<std::string> more) {
  more.insert(more.begin(), {"--model", "m.safetensors", "--data_dir", "data"});
  return ParseCommandLine(more);
}

std::string ErrorOf(const std::vector<std::string>& more) {
  const auto line = Parse(more);
  EXPECT_THAT(line, StatusIs(StatusCode::kInvalidArgument));
  return std::string(MessageOf(line.status()));
}

TEST(CommandLineTest, TakesKeysInBothForms) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CommandLine line,
                                Parse({"--listen", "127.0.0.1:0", "--max_batch=4"}));
  EXPECT_EQ(line.action, Action::kServe);
  EXPECT_EQ(line.config.model, "m.safetensors");
  EXPECT_EQ(line.config.listen, "127.0.0.1:0");
  EXPECT_EQ(line.config.max_batch, 4);
}

TEST(CommandLineTest, TakesHyphensForUnderscores) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CommandLine line,
                                Parse({"--max-batch", "4", "--max-samples=3", "--core-dumps"}));
  EXPECT_EQ(line.config.max_batch, 4);
  EXPECT_EQ(line.config.max_samples, 3);
  EXPECT_TRUE(line.config.core_dumps);
  EXPECT_THAT(ErrorOf({"--max-batch", "4", "--max_batch", "5"}), HasSubstr("given twice"));
}

TEST(CommandLineTest, ASwitchMayStandAlone) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(CommandLine line, Parse({"--insecure", "--max_batch", "4"}));
  EXPECT_TRUE(line.config.insecure);
  FACEGATE_ASSERT_OK_AND_ASSIGN(line, Parse({"--reflection", "false"}));
  EXPECT_FALSE(line.config.reflection);
}

TEST(CommandLineTest, AValueMayBeEmptyOrBeginLikeAFlag) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const CommandLine line,
      Parse({"--haar_dir=", "--port-file=-p", "--detector-model", "", "--detector-landmarks=a=b"}));
  EXPECT_EQ(line.config.haar_dir, "");
  EXPECT_EQ(line.config.port_file, "-p");
  EXPECT_EQ(line.config.detector_model, "");
  EXPECT_EQ(line.config.detector_landmarks, "a=b");
}

TEST(CommandLineTest, OverridesTheFileWhereverItStands) {
  TempDir dir;
  std::ofstream(dir.File("s.yaml")) << "max_batch: 3\nmax_samples: 5\n";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--config", dir.File("s.yaml"), "--max_batch", "7"},
        std::vector<std::string>{"--max_batch", "7", "--config", dir.File("s.yaml")}}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse(arguments));
    EXPECT_EQ(line.config.max_batch, 7);
    EXPECT_EQ(line.config.max_samples, 5);
  }
}

TEST(CommandLineTest, NamesTheFileAndLineOfAnError) {
  TempDir dir;
  std::ofstream(dir.File("s.yaml")) << "# a comment\nmax_batch: 300\n";
  EXPECT_THAT(ErrorOf({"--config", dir.File("s.yaml")}), HasSubstr(dir.File("s.yaml") + ":2"));
  EXPECT_THAT(ErrorOf({"--config", dir.File("absent.yaml")}), HasSubstr("absent.yaml"));
}

TEST(CommandLineTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(ErrorOf({"--max_bacth", "4"}), HasSubstr("max_bacth"));
  EXPECT_THAT(ErrorOf({"--max_batch", "-1"}), HasSubstr("0 to 256"));
  EXPECT_THAT(ErrorOf({"--max_batch"}), HasSubstr("needs a value"));
  EXPECT_THAT(ErrorOf({"--max_batch", "--insecure"}), HasSubstr("needs a value"));
  EXPECT_THAT(ErrorOf({"stray"}), HasSubstr("stray"));
  EXPECT_THAT(ParseCommandLine({"--", "--model", "m"}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ErrorOf({"--max_batch", "4", "--max_batch", "5"}), HasSubstr("twice"));
}

TEST(CommandLineTest, NamesTheKeyThatMayHaveBeenMeant) {
  EXPECT_THAT(ErrorOf({"--max-bacth=4"}),
              HasSubstr("unknown key \"max_bacth\"; did you mean \"max_batch\"?"));
}

TEST(CommandLineTest, RefusesAnIncompleteServer) {
  EXPECT_THAT(ParseCommandLine({}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ErrorOf({"--listen", "0.0.0.0:50051"}), HasSubstr("insecure"));
  EXPECT_THAT(ErrorOf({"--listen", "50051"}), HasSubstr("host:port"));
}

TEST(CommandLineTest, PrintingNeedsNoModel) {
  for (const auto& [flag, action] :
       std::vector<std::pair<std::string, Action>>{{"--help", Action::kHelp},
                                                   {"-h", Action::kHelp},
                                                   {"--help-config", Action::kHelpConfig},
                                                   {"--print-config", Action::kPrintConfig},
                                                   {"--version", Action::kVersion}}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const CommandLine line, ParseCommandLine({flag}));
    EXPECT_EQ(line.action, action) << flag;
  }
}

}  // namespace
}  // namespace facegate
