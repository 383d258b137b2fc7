#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "clients/cli/facegate_cli.h"
#include "tests/clients/fake_server.h"
#include "tests/support/temp_dir.h"

namespace facegate::cli {

// Matches a UUID of version 4.
inline constexpr char kUuid[] =
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

struct CliResult {
  int code = 0;
  std::string out{};
  std::string err{};
};

// Runs the program `facegate` in this process, against a server that is not real.
class FacegateCliTest : public ::testing::Test {
 protected:
  CliResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--server", server_.target(), "--timeout", "20"});
    std::ostringstream out;
    std::ostringstream err;
    const int code = RunCli(arguments, out, err, {});
    return {code, out.str(), err.str()};
  }

  // A file named `name`, whose first byte says who is in the photo.
  std::string Photo(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = dir_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  // The same that begins like a JPEG, which the photos of folders are told by.
  std::string Jpeg(const std::string& name, const std::string& bytes) {
    return Photo(name, kJpegStart + bytes);
  }

  TempDir dir_;
  FakeServer server_;
};

}  // namespace facegate::cli
