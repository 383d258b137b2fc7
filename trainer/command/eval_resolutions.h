#pragma once

#include <memory>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/eval.h"
#include "trainer/embeddings/low_resolution.h"
#include "trainer/enlarge/super_resolution.h"

namespace facegate {

// What photos are embedded at: as they are; then at each factor of --low-resolution, and behind it,
// where a network enlarges by this factor, once more by the network.
struct EvalResolutions {
  std::vector<std::unique_ptr<SuperResolution>> networks;
  std::vector<Resolution> all;  // of those networks
};

// Opens the networks of --super-resolution. kInvalidField where two have one scale, no factor is
// that of a network, or there are no factors and something is said of them.
StatusOr<EvalResolutions> OpenResolutions(const EvalOptions& options);

}  // namespace facegate
