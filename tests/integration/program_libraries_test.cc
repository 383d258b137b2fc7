// What each program needs of others: a library more is a package more to install and milliseconds
// more at each start.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
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

std::string OutputOf(const std::vector<std::string>& command) {
  const auto result = RunCommand(command, std::chrono::seconds(120));
  EXPECT_THAT(result, IsOk());
  return result.ok() ? result->output : "";
}

// All that the loader brings into the program's process, as ldd asks for it.
Libraries LoadedInto(const std::string& program) {
  return NamesIn(OutputOf({"/usr/bin/env", "LD_TRACE_LOADED_OBJECTS=1", program}));
}

// What the program itself names.
Libraries NamedBy(const std::string& program) {
  return NamesIn(OutputOf({"/usr/bin/readelf", "-d", program}));
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

#ifdef FACEGATE_LIBTORCH_FOLDER

// The symbols that others can see. Weak ones, of templates, are left out: there one serves all.
std::set<std::string> SymbolsOf(const std::string& library) {
  std::set<std::string> symbols;
  std::istringstream lines(OutputOf({"/usr/bin/nm", "-D", "--defined-only", library}));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string address;
    std::string kind;
    std::string name;
    words >> address >> kind >> name;
    if (kind == "T" || kind == "D" || kind == "B" || kind == "R") symbols.insert(name);
  }
  return symbols;
}

// The paths of the program's libraries whose names begin so.
std::vector<std::string> PathsOf(const std::string& program, const std::string& start) {
  std::vector<std::string> paths;
  std::istringstream lines(OutputOf({"/usr/bin/env", "LD_TRACE_LOADED_OBJECTS=1", program}));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::string arrow;
    std::string path;
    words >> name >> arrow >> path;
    if (name.starts_with(start)) paths.push_back(path);
  }
  return paths;
}

TEST(ProgramLibrariesTest, LibTorchForGpusSharesNoSymbolWithTheServersLibraries) {
  std::set<std::string> of_libtorch;
  for (const char* name : {"libtorch_cpu.so", "libtorch_cuda.so", "libtorch.so", "libc10.so"}) {
    of_libtorch.merge(SymbolsOf(std::string(FACEGATE_LIBTORCH_FOLDER) + "/" + name));
  }
  EXPECT_GT(of_libtorch.size(), 10'000U);
  for (const char* start : {"libgrpc", "libprotobuf", "libabsl"}) {
    const std::vector<std::string> libraries = PathsOf(FACEGATE_SERVER_BINARY, start);
    EXPECT_FALSE(libraries.empty()) << start;
    for (const std::string& library : libraries) {
      std::vector<std::string> common;
      const std::set<std::string> symbols = SymbolsOf(library);
      std::set_intersection(symbols.begin(), symbols.end(), of_libtorch.begin(), of_libtorch.end(),
                            std::back_inserter(common));
      EXPECT_THAT(common, ::testing::IsEmpty()) << library;
    }
  }
}

TEST(ProgramLibrariesTest, ServerAndLibTorchForGpusAgreeOnOneOpenMp) {
  // The loader takes the one that is there for each that asks for it by this name.
  for (const char* library : {"libtorch_cpu.so", "libtorch_cuda.so"}) {
    for (const std::string& name : NamedBy(std::string(FACEGATE_LIBTORCH_FOLDER) + "/" + library)) {
      EXPECT_FALSE(name.find("omp") != std::string::npos && !name.starts_with("libgomp.so.1"))
          << name;
    }
  }
  EXPECT_THAT(LoadedInto(FACEGATE_SERVER_BINARY), Contains(StartsWith("libgomp.so.1")));
}

#endif  // FACEGATE_LIBTORCH_FOLDER

}  // namespace
}  // namespace facegate
