#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "clients/cli/facegate_cli.h"
#include "clients/cli/terminal.h"

int main(int argc, char** argv) {
  try {
    return facegate::cli::RunCli(std::vector<std::string>(argv + 1, argv + argc), std::cout,
                                 std::cerr, facegate::cli::ThisTerminal());
  } catch (const std::exception& error) {
    std::cerr << "facegate: " << error.what() << "\n";
    return 2;
  }
}
