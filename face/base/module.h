#pragma once

#include <string>

#include "face/base/status.h"

namespace facegate {

// What a module (a shared library that a program opens when it needs it) shows to the program.
struct ModuleHead {
  const char* (*build)();  // ModuleBuild() of the module
  void (*entry)();         // a function of the type that the program and the module agree on
};

// Version and compiler. Program and module hand C++ objects to each other, so both must be of one
// build.
const char* ModuleBuild();

// The name under which a module exports its head.
inline constexpr char kModuleHead[] = "facegate_module";

// Opens the module NAME.so in ../lib/facegate beside the running program's folder, with all that it
// is linked to, and returns its entry. It stays open as long as the process. kFailedPrecondition,
// with the loader's own words, where it or a library of it is missing or is of another build.
// Thread-safe.
StatusOr<void (*)()> OpenModule(const std::string& name);

// The same of the module in `file`.
StatusOr<void (*)()> OpenModuleFile(const std::string& file);

}  // namespace facegate

// Makes `function` the entry of the module that this source is linked into.
#define FACEGATE_MODULE(function)                                                               \
  extern "C" __attribute__((visibility("default"))) const facegate::ModuleHead facegate_module; \
  const facegate::ModuleHead facegate_module = {facegate::ModuleBuild,                          \
                                                reinterpret_cast<void (*)()>(&(function))}
