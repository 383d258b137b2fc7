#include "trainer/sweep/trial_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace facegate {
namespace {

constexpr std::array<std::pair<SweepMethod, std::string_view>, 3> kMethods = {{
    {SweepMethod::kRandom, "random"},
    {SweepMethod::kGrid, "grid"},
    {SweepMethod::kHalving, "halving"},
}};

constexpr size_t kMostTrials = 10'000;
// Drawn so often in vain, there are no other settings.
constexpr uint64_t kMostDraws = 1'000;
constexpr double kSlack = 1e-9;

Settings DrawSettings(const std::vector<TriedKey>& space, uint64_t seed, size_t trial,
                      uint64_t attempt) {
  RandomStream random(seed, trial, attempt);
  Settings settings;
  for (const TriedKey& tried : space) {
    settings.push_back({.key = tried.key, .value = tried.Draw(random)});
  }
  return settings;
}

std::vector<Settings> RandomTrials(const std::vector<TriedKey>& space, size_t trials,
                                   uint64_t seed) {
  std::vector<Settings> all;
  while (all.size() < trials) {
    const size_t before = all.size();
    for (uint64_t attempt = 0; attempt < kMostDraws && all.size() == before; ++attempt) {
      Settings settings = DrawSettings(space, seed, before, attempt);
      if (std::find(all.begin(), all.end(), settings) == all.end()) {
        all.push_back(std::move(settings));
      }
    }
    if (all.size() == before) break;
  }
  return all;
}

StatusOr<std::vector<Settings>> GridTrials(const std::vector<TriedKey>& space,
                                           std::optional<size_t> trials) {
  double count = 1.0;
  for (const TriedKey& tried : space) {
    if (tried.size() == 0) {
      return RefuseField("--try",
                         fmt::format("{0} is a range, of which a grid needs a number of points: "
                                     "{0}={1:g}..{2:g}{3}:5",
                                     tried.key, tried.low, tried.high, tried.log ? ":log" : ""));
    }
    count *= static_cast<double>(tried.size());
  }
  const size_t most = trials.value_or(kMostTrials);
  if (count > static_cast<double>(most)) {
    return RefuseField("--trials",
                       fmt::format("the grid has {:.0f} combinations, more than {}; give fewer "
                                   "values, or choose --method random",
                                   count, most));
  }
  std::vector<Settings> all(static_cast<size_t>(count));
  for (size_t number = 0; number < all.size(); ++number) {
    // The last key changes first.
    size_t rest = number;
    for (size_t k = space.size(); k-- > 0;) {
      const size_t size = space[k].size();
      all[number].push_back({.key = space[k].key, .value = space[k].Value(rest % size)});
      rest /= size;
    }
    std::reverse(all[number].begin(), all[number].end());
  }
  return all;
}

}  // namespace

std::string_view SweepMethodName(SweepMethod method) {
  return kMethods[static_cast<size_t>(method)].second;
}

std::optional<SweepMethod> SweepMethodFromName(std::string_view name) {
  for (const auto& [method, text] : kMethods) {
    if (text == name) return method;
  }
  return std::nullopt;
}

StatusOr<std::vector<Settings>> DrawTrials(const std::vector<TriedKey>& space, SweepMethod method,
                                           std::optional<size_t> trials, uint64_t seed) {
  if (trials.has_value() && (*trials < 1 || *trials > kMostTrials)) {
    return RefuseField("--trials", fmt::format("is {}, must be 1 to {}", *trials, kMostTrials));
  }
  if (method == SweepMethod::kGrid) return GridTrials(space, trials);
  return RandomTrials(space, trials.value_or(kUsualTrials), seed);
}

std::vector<SweepRound> HalvingRounds(size_t trials, int64_t eta, double least_share) {
  std::vector<SweepRound> rounds = {{.trials = trials, .share = 1.0}};
  const auto part = static_cast<size_t>(eta);
  while (rounds.back().trials >= part &&
         rounds.front().share / static_cast<double>(eta) >= least_share * (1.0 - kSlack)) {
    for (SweepRound& round : rounds) round.share /= static_cast<double>(eta);
    rounds.push_back({.trials = rounds.back().trials / part, .share = 1.0});
  }
  return rounds;
}

}  // namespace facegate
