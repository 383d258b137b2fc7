#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "face/base/openmp.h"
#include "trainer/command/train_cli.h"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return static_cast<int>(facegate::RunTrainCli(arguments, std::cout, std::cerr,
                                                  [&] { facegate::WaitBrieflyInOpenMp(argv); }));
  } catch (const std::exception& error) {
    std::cerr << "facegate-train: " << error.what() << "\n";
    return static_cast<int>(facegate::TrainExitCode::kFailed);
  }
}
