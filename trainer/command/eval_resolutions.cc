#include "trainer/command/eval_resolutions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace facegate {

StatusOr<EvalResolutions> OpenResolutions(const EvalOptions& options) {
  constexpr char kField[] = "--super-resolution";
  const std::vector<double>& factors = options.low_resolution;
  const bool by_network = !options.super_resolution.empty();
  if (by_network && factors.empty()) {
    return RefuseField(kField, "needs --low-resolution with the network's factor");
  }
  if (options.reduction && factors.empty()) {
    return RefuseField("--low-resolution-by", "needs --low-resolution");
  }
  EvalResolutions resolutions;
  std::map<int, const SuperResolution*> by_scale;
  for (const std::string& path : options.super_resolution) {
    FACEGATE_ASSIGN_OR_RETURN(auto network, SuperResolution::Open(path, options.embedding.threads));
    const int scale = network->scale();
    if (!by_scale.emplace(scale, network.get()).second) {
      return RefuseField(kField, fmt::format("names two networks that enlarge {} times", scale));
    }
    if (std::find(factors.begin(), factors.end(), scale) == factors.end()) {
      return RefuseField(kField, fmt::format("{} enlarges {} times; --low-resolution is {}", path,
                                             scale, fmt::join(factors, ",")));
    }
    resolutions.networks.push_back(std::move(network));
  }
  const Reduction reduction =
      options.reduction.value_or(by_network ? Reduction::kBicubic : Reduction::kArea);
  resolutions.all.emplace_back();
  for (const double factor : factors) {
    resolutions.all.push_back({.factor = factor, .reduction = reduction});
    for (const auto& [scale, network] : by_scale) {
      if (scale != factor) continue;
      resolutions.all.push_back({.factor = factor, .reduction = reduction, .network = network});
    }
  }
  return resolutions;
}

}  // namespace facegate
