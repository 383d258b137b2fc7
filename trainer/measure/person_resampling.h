#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/measure/verification.h"

namespace facegate {

// A trial that two people (or one, twice) took part in, and whether it went wrong.
struct PersonTrial {
  size_t first = 0;  // numbers of people
  size_t second = 0;
  bool error = false;
};

// Error rates with 95 % intervals that treat people as what was drawn at random: the pairs of one
// person hang together, so that intervals which count pairs as independent are far too narrow.
// People are drawn with replacement; a pair counts as often as both its people were drawn
// (Bolle, Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets
// bootstrap", 2004). The same seed gives the same intervals.
class PersonResampling {
 public:
  // Draws `rounds` times; costs rounds · people numbers.
  PersonResampling(size_t people, uint64_t seed, size_t rounds = 500);

  // The share of errors. Where a drawing holds no trial, it is left out; without any error or any
  // success the interval is Wilson's over the people that took part, since drawing again would show
  // none.
  Share ErrorShare(std::span<const PersonTrial> trials) const;

 private:
  const size_t people_;
  std::vector<std::vector<uint16_t>> drawn_;  // how often each person was drawn, by round
};

}  // namespace facegate
