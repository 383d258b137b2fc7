// Compiled for the processor that the rest of the program is compiled for.
#define FACEGATE_SIMD_LANES 4
#include "face/model/fused/simd_body.h"

namespace facegate {

SimdKernels PortableKernels() { return KernelsNamed("portable"); }

}  // namespace facegate
