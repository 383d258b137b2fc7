#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "index/gallery.h"
#include "tests/support/random_embedding.h"

// What the killed program does, step by step, so that the test knows it to the bit.
namespace facegate {

inline constexpr char kCrashCollection[] = "people";
inline constexpr int kCrashSize = 128;
inline constexpr size_t kCrashTemplates = 3;

inline ModelKey CrashModel() {
  return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
}

inline std::vector<NewTemplate> CrashTemplates(const std::string& name) {
  std::mt19937_64 random(std::hash<std::string>()(name));
  std::vector<NewTemplate> templates;
  for (size_t i = 0; i < kCrashTemplates; ++i) {
    templates.push_back({.embedding = RandomEmbedding(random, kCrashSize),
                         .detector = "none",
                         .detection_score = 0.0f});
  }
  return templates;
}

struct CrashStep {
  enum class Kind { kEnrol, kRename, kMerge, kDelete };
  Kind kind = Kind::kEnrol;
  std::string id;
  std::string other{};  // the new id, or who takes the templates
};

// Step `number` of a round: each nine of them are about people of their own, some of whom take an
// id that has become free.
inline CrashStep CrashStepOf(const std::string& round, int number) {
  using Kind = CrashStep::Kind;
  const auto id = [&](char who) { return fmt::format("r{}-{}{}", round, number / 9, who); };
  switch (number % 9) {
    case 0:
      return {.kind = Kind::kEnrol, .id = id('a')};
    case 1:
      return {.kind = Kind::kEnrol, .id = id('b')};
    case 2:
      return {.kind = Kind::kRename, .id = id('a'), .other = id('z')};
    case 3:
      return {.kind = Kind::kEnrol, .id = id('a')};
    case 4:
      return {.kind = Kind::kMerge, .id = id('b'), .other = id('z')};
    case 5:
      return {.kind = Kind::kDelete, .id = id('a')};
    case 6:
      return {.kind = Kind::kEnrol, .id = id('d')};
    case 7:
      return {.kind = Kind::kRename, .id = id('d'), .other = id('b')};
    default:
      return {.kind = Kind::kMerge, .id = id('z'), .other = id('b')};
  }
}

// The name by which CrashTemplates() gives the templates of an enrolment.
inline std::string CrashName(const std::string& round, int number) {
  return fmt::format("{} {}", round, number);
}

// Whose templates each identity has, by the names of their enrolments.
using CrashState = std::map<std::string, std::vector<std::string>>;

inline void ApplyCrashStep(const std::string& round, int number, CrashState& state) {
  const CrashStep step = CrashStepOf(round, number);
  std::vector<std::string> names;
  if (step.kind == CrashStep::Kind::kEnrol) {
    names.push_back(CrashName(round, number));
  } else {
    names = state.at(step.id);
    state.erase(step.id);
  }
  if (step.kind == CrashStep::Kind::kDelete) return;
  std::vector<std::string>& all = state[step.other.empty() ? step.id : step.other];
  all.insert(all.end(), names.begin(), names.end());
}

}  // namespace facegate
