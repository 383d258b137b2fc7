// Compiled for the processor that the rest of the program is compiled for.
#define FACEGATE_SIMD_LANES 4
#include "trainer/fused/simd_body.h"

namespace facegate {

SimdKernels PortableKernels() { return KernelsNamed("portable"); }

}  // namespace facegate
