// What each program needs of others: a library more is a package more to install and milliseconds
// more at each start.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Libraries = std::set<std::string>;

// What begins a line of the output, or stands there in brackets.
Libraries NamesIn(const std::string& output) {
  Libraries names;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const size_t bracket = line.find("Shared library: [");
    std::istringstream words(bracket == std::string::npos ? line : line.substr(line.find('[') + 1));
    std::string name;
    words >> name;
    const size_t end = name.find(".so");
    if (end != std::string::npos) names.insert(name.substr(name.rfind('/', end) + 1));
  }
  return names;
}

Libraries NamesToldBy(const std::vector<std::string>& command) {
  const auto result = RunCommand(command, std::chrono::seconds(60));
  EXPECT_THAT(result, IsOk());
  return result.ok() ? NamesIn(result->output) : Libraries();
}

// All that the loader brings into the program's process, as ldd asks for it.
Libraries LoadedInto(const std::string& program) {
  return NamesToldBy({"/usr/bin/env", "LD_TRACE_LOADED_OBJECTS=1", program});
}

// What the program itself names.
Libraries NamedBy(const std::string& program) {
  return NamesToldBy({"/usr/bin/readelf", "-d", program});
}

void ExpectNone(const Libraries& libraries, const std::vector<std::string>& forbidden) {
  for (const std::string& name : forbidden) {
    EXPECT_THAT(libraries, Not(Contains(StartsWith(name))));
  }
}

TEST(ProgramLibrariesTest, TheClientNeedsNoPicturesOrNetworksOfOthers) {
  const Libraries libraries = LoadedInto(FACEGATE_CLIENT_BINARY);
  EXPECT_THAT(libraries, Contains(StartsWith("libgrpc++.")));
  EXPECT_THAT(libraries, SizeIs(::testing::Le(70U)));
  ExpectNone(libraries, {"libgdal", "libpoppler", "libmariadb", "libopencv", "libtorch", "libc10",
                         "libopenblas", "libX11"});
}

TEST(ProgramLibrariesTest, TheServerNeedsNeitherLibTorchNorCodecsOfOthersToStart) {
  const Libraries libraries = LoadedInto(FACEGATE_SERVER_BINARY);
  EXPECT_THAT(libraries, Contains(StartsWith("libopencv_core.")));
  EXPECT_THAT(libraries, SizeIs(::testing::Le(100U)));
  ExpectNone(libraries,
             {"libgdal", "libpoppler", "libmariadb", "libopencv_imgcodecs", "libtorch", "libc10"});
}

TEST(ProgramLibrariesTest, TheTrainerNeedsNoPicturesAndNoLibTorchToStart) {
  const Libraries libraries = LoadedInto(FACEGATE_TRAIN_BINARY);
  EXPECT_THAT(libraries, SizeIs(::testing::Le(45U)));
  ExpectNone(libraries, {"libtorch", "libc10", "libopencv", "libprotobuf"});
}

TEST(ProgramLibrariesTest, TheEngineNamesLibTorchAndNoServer) {
  const Libraries libraries = NamedBy(FACEGATE_TORCH_MODULE);
  EXPECT_THAT(libraries, Contains(StartsWith("libtorch_cpu.")));
  EXPECT_THAT(libraries, SizeIs(::testing::Le(20U)));
  ExpectNone(libraries, {"libopencv_imgcodecs", "libopencv_highgui", "libgdal", "libgrpc"});
}

TEST(ProgramLibrariesTest, TheTrainersModuleNamesNoCodecsOfOthers) {
  const Libraries libraries = NamedBy(FACEGATE_TRAIN_MODULE);
  EXPECT_THAT(libraries, Contains(StartsWith("libtorch_cpu.")));
  EXPECT_THAT(libraries, SizeIs(::testing::Le(30U)));
  ExpectNone(libraries, {"libopencv_imgcodecs", "libopencv_highgui", "libgdal", "libgrpc"});
}

}  // namespace
}  // namespace facegate
