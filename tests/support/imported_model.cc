#include "tests/support/imported_model.h"

#include <fmt/format.h>

#include <vector>

#include "tests/support/child_process.h"

namespace facegate {

Status ImportTestModel(const std::filesystem::path& data, const std::string& out, bool mirror) {
  std::vector<std::string> argv = {FACEGATE_TRAIN_BINARY,
                                   "import",
                                   "--preset",
                                   "bubbliiiing",
                                   (data / "weights/arcface_mobilefacenet.pth").string(),
                                   out};
  if (mirror) argv.emplace_back("--mirror");
  FACEGATE_ASSIGN_OR_RETURN(const CommandResult result,
                            RunCommand(argv, std::chrono::seconds(120)));
  if (result.exit_code != 0) {
    return Internal(fmt::format("facegate-train import ended with code {}:\n{}", result.exit_code,
                                result.output));
  }
  return OkStatus();
}

}  // namespace facegate
