#pragma once

#include <filesystem>
#include <string>

#include "face/base/check.h"
#include "face/base/file.h"

// The stores of earlier formats that lie beside this file, and what write_filled_store told of
// them.
namespace facegate {

inline std::string CommittedStore(const std::string& name) {
  return std::string(FACEGATE_SOURCE_DIR) + "/tests/index/store/" + name;
}

// What is in the store, as DescribeGallery() tells it.
inline std::string ToldOfCommittedStore(const std::string& name) {
  constexpr uint64_t kMostBytes = 1 << 20;
  auto told = ReadFile(CommittedStore(name) + ".txt", kMostBytes);
  FACEGATE_CHECK(told.ok());
  return *std::move(told);
}

// Copies the files of a store, also of one that is open: as a killed process would leave them. Room
// that is kept for deletions is left behind.
inline void CopyStore(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::create_directory(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    const std::string file = entry.path().filename();
    if (file != "RESERVE") std::filesystem::copy(entry.path(), to + "/" + file);
  }
}

}  // namespace facegate
