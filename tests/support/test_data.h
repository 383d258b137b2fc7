#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace facegate {

// The folder that FACEGATE_DATA names (real photos and weights, never part of the project), or
// nothing.
inline std::optional<std::filesystem::path> TestDataDir() {
  const char* value = std::getenv("FACEGATE_DATA");
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::filesystem::path(value);
}

}  // namespace facegate

// Declares `variable`, the data folder; skips the test, loudly, where there is none.
#define FACEGATE_DATA_OR_SKIP(variable)                                                          \
  const auto variable##_or = ::facegate::TestDataDir();                                          \
  if (!variable##_or.has_value()) {                                                              \
    GTEST_SKIP() << "SKIPPED: needs real photos and weights; set FACEGATE_DATA to their folder"; \
  }                                                                                              \
  const std::filesystem::path& variable = *variable##_or
