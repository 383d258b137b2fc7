#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const std::string& yaml) {
  Config config;
  const Status status = ApplyYaml(yaml, "server.yaml", config);
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument)) << yaml;
  return std::string(MessageOf(status));
}

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(ConfigTest, ReadsEachKindOfKey) {
  Config config;
  ASSERT_THAT(ApplyYaml("listen: \"[::1]:0\"\nmax_batch: 16\nreflection: false\ndetector: haar\n",
                        "server.yaml", config),
              IsOk());
  EXPECT_EQ(config.listen, "[::1]:0");
  EXPECT_EQ(config.max_batch, 16);
  EXPECT_FALSE(config.reflection);
  EXPECT_EQ(config.detector, "haar");
}

TEST(ConfigTest, AnEmptyFileLeavesTheDefaults) {
  Config config;
  EXPECT_THAT(ApplyYaml("", "server.yaml", config), IsOk());
  EXPECT_THAT(ApplyYaml("# nothing\n", "server.yaml", config), IsOk());
  EXPECT_EQ(config.listen, "127.0.0.1:50051");
}

TEST(ConfigTest, NamesTheLineOfAnUnknownKey) {
  const std::string unknown = ErrorOf("max_batch: 4\n\nmax_bacth: 8\n");
  EXPECT_THAT(unknown, HasSubstr("server.yaml:3"));
  EXPECT_THAT(unknown, HasSubstr("did you mean \"max_batch\"?"));
  EXPECT_THAT(ErrorOf("max_bacth: 8\n"), HasSubstr("max_bacth"));
}

TEST(ConfigTest, NamesTheLineAndTheLimitOfAValueOutOfRange) {
  const std::string error = ErrorOf("listen: 127.0.0.1:1\nmax_batch: 257\n");
  EXPECT_THAT(error, HasSubstr("server.yaml:2"));
  EXPECT_THAT(error, HasSubstr("257"));
  EXPECT_THAT(error, HasSubstr("0 to 256"));
  EXPECT_THAT(ErrorOf("max_batch: -1\n"), HasSubstr("0 to 256"));
  EXPECT_THAT(ErrorOf("detector: mtcnn\n"), HasSubstr("auto, yunet, haar, haar-eyes, none"));
}

TEST(ConfigTest, RefusesValuesThatAreNoNumbersOrSwitches) {
  for (const std::string text :
       {"", "four", "4.5", "4x", " 4 4", "0x10", "99999999999999999999", "[4]", "{a: 4}", "~"}) {
    EXPECT_THAT(ErrorOf("max_batch: " + text + "\n"), HasSubstr("server.yaml:1")) << text;
  }
  for (const std::string text : {"yes", "1", "True", ""}) {
    EXPECT_THAT(ErrorOf("reflection: " + text + "\n"), HasSubstr("true or false")) << text;
  }
}

TEST(ConfigTest, TheThreadsOfASearchAreAKey) {
  Config config;
  EXPECT_EQ(config.search_threads, 0);
  ASSERT_THAT(ApplyYaml("search_threads: 3\n", "server.yaml", config), IsOk());
  EXPECT_EQ(config.search_threads, 3);
  EXPECT_THAT(ErrorOf("search_threads: 257\n"), HasSubstr("0 to 256"));
}

TEST(ConfigTest, TheCardOfSearchesIsAKeyAndSoIsItsMemory) {
  Config config;
  EXPECT_EQ(config.index_device, "auto");
  EXPECT_EQ(config.index_device_memory_mb, 0);
  ASSERT_THAT(
      ApplyYaml("index_device: cuda:1\nindex_device_memory_mb: 40000\n", "server.yaml", config),
      IsOk());
  EXPECT_EQ(config.index_device, "cuda:1");
  EXPECT_EQ(config.index_device_memory_mb, 40'000);
  EXPECT_THAT(ErrorOf("index_device_memory_mb: 1000001\n"), HasSubstr("0 to 1000000"));
}

TEST(ConfigTest, ReadsNumbersWithAFraction) {
  Config config;
  ASSERT_THAT(ApplyYaml("enrol_quality: 0.75\nprobe_quality: 0\n", "server.yaml", config), IsOk());
  EXPECT_EQ(config.enrol_quality, 0.75);
  EXPECT_EQ(config.probe_quality, 0.0);
  for (const std::string text : {"", "nan", "-0.1", "1.01", "0.5x", "inf", "half"}) {
    EXPECT_THAT(ErrorOf("probe_quality: " + text + "\n"), HasSubstr("a number from 0 to 1"))
        << text;
  }
}

TEST(ConfigTest, RefusesWhatIsNoMapping) {
  EXPECT_THAT(ErrorOf("- max_batch\n"), HasSubstr("mapping"));
  EXPECT_THAT(ErrorOf("max_batch\n"), HasSubstr("mapping"));
  EXPECT_THAT(ErrorOf("a: b\n c: [\n"), HasSubstr("server.yaml:"));
  EXPECT_THAT(ErrorOf("max_batch: 4\nmax_batch: 5\n"), HasSubstr("server.yaml:2"));
  EXPECT_THAT(ErrorOf("? [a]\n: 4\n"), HasSubstr("plain name"));
}

TEST(ConfigTest, ItsOwnOutputReadsBack) {
  Config config;
  config.model = "a \"quoted\" \\ path: #1";
  config.max_samples = 3;
  config.enrol_quality = 0.3;
  config.insecure = true;
  Config read;
  ASSERT_THAT(ApplyYaml(ConfigToYaml(config), "printed", read), IsOk());
  EXPECT_EQ(read.model, config.model);
  EXPECT_EQ(ConfigToYaml(read), ConfigToYaml(config));
}

TEST(ConfigTest, TheFileInDeployIsTheHelp) {
  const std::filesystem::path file =
      std::filesystem::path(FACEGATE_SOURCE_DIR) / "deploy" / "server.yaml";
  EXPECT_EQ(ReadWhole(file), ConfigHelp())
      << "write it with: facegate-server --help-config > deploy/server.yaml";
}

TEST(ConfigTest, TheHelpIsAFileThatServesAndHasEveryKeyAtItsDefault) {
  Config config;
  ASSERT_THAT(ApplyYaml(ConfigHelp(), "help", config), IsOk());
  EXPECT_THAT(CheckComplete(config), IsOk());
  config.model.clear();
  config.data_dir.clear();
  EXPECT_EQ(ConfigToYaml(config), ConfigToYaml(Config()));
}

Config Complete() {
  Config config;
  config.model = "m.safetensors";
  config.data_dir = "data";
  return config;
}

TEST(ConfigTest, AServerNeedsAModelAndADataDirectory) {
  EXPECT_THAT(CheckComplete(Complete()), IsOk());
  Config config = Complete();
  config.model.clear();
  EXPECT_THAT(std::string(MessageOf(CheckComplete(config))), HasSubstr("model"));
  config = Complete();
  config.data_dir.clear();
  EXPECT_THAT(std::string(MessageOf(CheckComplete(config))), HasSubstr("data_dir"));
  config = Complete();
  config.detector = "yunet";
  EXPECT_THAT(std::string(MessageOf(CheckComplete(config))), HasSubstr("detector_model"));
  config.detector_model = "yunet.onnx";
  config.detector_landmarks = "net.safetensors";
  EXPECT_THAT(std::string(MessageOf(CheckComplete(config))), HasSubstr("detector_landmarks"));
  config.detector_landmarks = "";
}

TEST(ConfigTest, ADeviceIsTheCpuOrANumberedCard) {
  Config config = Complete();
  for (const char* device : {"auto", "cpu", "cuda", "cuda:3"}) {
    config.device = device;
    EXPECT_THAT(CheckComplete(config), IsOk()) << device;
  }
  config.device = "gpu0";
  EXPECT_THAT(std::string(MessageOf(CheckComplete(config))),
              HasSubstr("device: unknown device \"gpu0\", expected auto, cpu, cuda or cuda:N"));
  config = Complete();
  config.index_device = "gpu0";
  EXPECT_THAT(std::string(MessageOf(CheckComplete(config))),
              HasSubstr("index_device: unknown device \"gpu0\""));
}

TEST(ConfigTest, PlaintextOnAnAddressThatOthersReachNeedsAWord) {
  Config config = Complete();
  for (const std::string open : {"0.0.0.0:50051", "[::]:50051", "192.168.0.7:1", "example.org:1",
                                 "127.evil.org:1", "localhost.evil.org:1"}) {
    config.listen = open;
    config.insecure = false;
    EXPECT_THAT(std::string(MessageOf(CheckComplete(config))), HasSubstr("insecure")) << open;
    config.insecure = true;
    EXPECT_THAT(CheckComplete(config), IsOk()) << open;
  }
  config.insecure = false;
  for (const std::string local : {"127.0.0.1:0", "127.8.8.8:1", "localhost:65535", "[::1]:0"}) {
    config.listen = local;
    EXPECT_THAT(CheckComplete(config), IsOk()) << local;
  }
}

TEST(ConfigTest, AMessageMustHoldTwoImages) {
  Config config = Complete();
  EXPECT_EQ(EffectiveMaxMessageBytes(config), 4 * config.max_image_bytes + (1 << 20));
  config.max_message_bytes = 2 * config.max_image_bytes + 65536;
  EXPECT_THAT(CheckComplete(config), IsOk());
  --config.max_message_bytes;
  EXPECT_THAT(std::string(MessageOf(CheckComplete(config))), HasSubstr("max_message_bytes"));
}

TEST(ConfigTest, TheLargestImageStillFitsGrpcsLimit) {
  Config config = Complete();
  ASSERT_THAT(SetConfigKey("max_image_bytes", "268435456", "test", config), IsOk());
  EXPECT_THAT(CheckComplete(config), IsOk());
  EXPECT_LE(EffectiveMaxMessageBytes(config), 2147483647);
}

TEST(ConfigTest, TheMemoryOfRequestsHoldsFourMessages) {
  Config config;
  config.model = "m";
  config.data_dir = "d";
  EXPECT_EQ(EffectiveRequestMemory(config), 8 * EffectiveMaxMessageBytes(config));
  config.request_memory = 4 * EffectiveMaxMessageBytes(config);
  EXPECT_THAT(CheckComplete(config), IsOk());
  --config.request_memory;
  const Status refused = CheckComplete(config);
  EXPECT_THAT(refused, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(refused)),
              HasSubstr("must be at least 138412032: four messages"));
  config.max_image_bytes = 1 << 20;
  config.request_memory = 0;
  EXPECT_EQ(EffectiveRequestMemory(config), 256 << 20);
}

}  // namespace
}  // namespace facegate
