// A module of another build than the tests.

#include "face/base/module.h"

namespace {

const char* OtherBuild() { return "0.0.1 of others"; }
void Entry() {}

}  // namespace

extern "C" __attribute__((visibility("default"))) const facegate::ModuleHead facegate_module;
const facegate::ModuleHead facegate_module = {OtherBuild, Entry};
