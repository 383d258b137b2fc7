#pragma once

#include <optional>

#include "index/rows/code_kernels.h"

namespace facegate {

// The loop of the kernel for AMX (code_amx_body.h) over a model of tiles in plain C++, which checks
// that they are used as the processor demands.
CodeKernel TileModelKernel();

// The kernel for AMX as it is compiled. On a processor without tiles each of its instructions for
// tiles raises SIGILL, upon which the model does what the instruction says. Nothing where the
// processor lacks the AVX-512 that it is compiled for, too.
std::optional<CodeKernel> EmulatedAmxCodeKernel();

}  // namespace facegate
