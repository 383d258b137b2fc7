#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace facegate {

// A script of tests/golden exits so where a package is absent.
inline constexpr int kPythonSkipped = 77;

struct PythonAnswer {
  int code = -1;  // of the exit
  std::string text{};
};

// Runs a script with the Python that FACEGATE_PYTHON names, else the system's, and returns what it
// prints. Paths have no quotes in them.
inline PythonAnswer RunPython(const std::string& script,
                              const std::vector<std::string>& arguments) {
  const char* const python = std::getenv("FACEGATE_PYTHON");
  std::string command = std::string(python == nullptr ? "/usr/bin/python3" : python);
  command += " '" + script + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  PythonAnswer answer;
  std::array<char, 1 << 16> buffer{};
  for (size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    answer.text.append(buffer.data(), got);
  }
  answer.code = WEXITSTATUS(::pclose(pipe));
  return answer;
}

}  // namespace facegate
