// The module facegate-train: the trainer itself, with LibTorch.

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "face/base/module.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

int RunTrainer(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return static_cast<int>(RunTrainCli(arguments, std::cout, std::cerr));
  } catch (const std::exception& error) {
    std::cerr << "facegate-train: " << error.what() << "\n";
    return static_cast<int>(TrainExitCode::kFailed);
  }
}

}  // namespace
}  // namespace facegate

FACEGATE_MODULE(facegate::RunTrainer);
