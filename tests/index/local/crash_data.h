#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "index/gallery.h"
#include "tests/support/random_embedding.h"

// The killed program enrols this, so that the test knows it to the bit.
namespace facegate {

inline constexpr char kCrashCollection[] = "people";
inline constexpr int kCrashSize = 128;
inline constexpr size_t kCrashTemplates = 3;

inline ModelKey CrashModel() {
  return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
}

inline std::vector<NewTemplate> CrashTemplates(const std::string& identity) {
  std::mt19937_64 random(std::hash<std::string>()(identity));
  std::vector<NewTemplate> templates;
  for (size_t i = 0; i < kCrashTemplates; ++i) {
    templates.push_back({.embedding = RandomEmbedding(random, kCrashSize),
                         .detector = "none",
                         .detection_score = 0.0f});
  }
  return templates;
}

}  // namespace facegate
