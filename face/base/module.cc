#include "face/base/module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "face/base/version.h"

namespace facegate {

const char* ModuleBuild() {
  static const std::string build = fmt::format("{}, compiler {}", Version(), __VERSION__);
  return build.c_str();
}

StatusOr<void (*)()> OpenModule(const std::string& name) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return FailedPrecondition(
        fmt::format("this program's own file is not known: {}", error.message()));
  }
  return OpenModuleFile(
      (program.parent_path().parent_path() / "lib" / "facegate" / (name + ".so")).string());
}

StatusOr<void (*)()> OpenModuleFile(const std::string& file) {
  // Names of the module and its libraries are not mixed with those of the program.
  void* const module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    // The text is this thread's own in glibc.
    const char* const reason = ::dlerror();  // NOLINT(concurrency-mt-unsafe)
    return FailedPrecondition(
        fmt::format("a module that belongs to this program cannot be opened: {}",
                    reason != nullptr ? reason : "the loader gives no reason"));
  }
  const auto* const head = static_cast<const ModuleHead*>(::dlsym(module, kModuleHead));
  if (head == nullptr) {
    return FailedPrecondition(fmt::format("{} is no module of facegate", file));
  }
  if (std::string_view(head->build()) != ModuleBuild()) {
    return FailedPrecondition(fmt::format("{} is of another build ({}) than this program ({})",
                                          file, head->build(), ModuleBuild()));
  }
  return head->entry;
}

}  // namespace facegate
