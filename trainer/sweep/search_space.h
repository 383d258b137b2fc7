#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "face/base/random.h"
#include "face/base/status.h"
#include "trainer/run/recipe.h"

namespace facegate {

// One key of a recipe with a value, as YAML has it.
struct Setting {
  std::string key{};
  std::string value{};

  bool operator==(const Setting&) const = default;
};

// The settings of one trial, a value for each key that is tried.
using Settings = std::vector<Setting>;

// What is tried of one key: some values, or a range of numbers.
struct TriedKey {
  std::string key{};
  std::vector<std::string> choices{};  // empty: a range
  double low = 0.0;
  double high = 0.0;
  bool whole = false;  // the numbers are whole ones
  bool log = false;    // evenly spread over the logarithm
  size_t points = 0;   // of a range: so many, evenly spread, with both ends; 0: any

  // How many different values there are; 0: of real numbers, more than can be gone through.
  size_t size() const;
  // The value `number` of size() ones, the lowest or first one first.
  std::string Value(size_t number) const;
  // A value at random: each choice, and each part of a range, is as likely as any other.
  std::string Draw(RandomStream& random) const;
};

// Reads "KEY=VALUES", where the values are a list, "0.3,0.4" or "[8,14],[10,16]", or of a number
// "LOW..HIGH", with ":log" and ":POINTS" behind it as wanted. Every value, and both ends, are
// checked as `fit --set` checks them. kInvalidField of --try says what is wrong, with the key.
StatusOr<TriedKey> ParseTry(const std::string& text);
// Reads them all; kInvalidField too where there is none, or a key is there twice.
StatusOr<std::vector<TriedKey>> ParseTries(const std::vector<std::string>& texts);

// Changes the recipe. Errors are those of SetRecipeKey().
Status Apply(const Settings& settings, Recipe& recipe);
// "head.margin=0.4 schedule.rate=0.02"
std::string SettingsText(const Settings& settings);

}  // namespace facegate
