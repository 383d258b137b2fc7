#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tensorboard/event.pb.h"

// A reader of event files that takes sums and lengths apart by itself.
namespace facegate {

// CRC-32C bit by bit.
inline uint32_t BitwiseCrc(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

template <typename T>
T NumberAt(std::string_view bytes, size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The events of a file; a wrong sum or length fails the test.
inline std::vector<tensorboard::Event> ReadEvents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto masked = [](std::string_view part) {
    const uint32_t crc = BitwiseCrc(part);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
  };
  std::vector<tensorboard::Event> events;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (rest.size() < 16) {
      ADD_FAILURE() << path << " ends within a record";
      return events;
    }
    const auto size = NumberAt<uint64_t>(rest, 0);
    EXPECT_EQ(NumberAt<uint32_t>(rest, 8), masked(rest.substr(0, 8)));
    EXPECT_EQ(NumberAt<uint32_t>(rest, 12 + size), masked(rest.substr(12, size)));
    EXPECT_TRUE(events.emplace_back().ParseFromString(std::string(rest.substr(12, size))));
    rest.remove_prefix(16 + size);
  }
  return events;
}

// The event files of a folder, oldest first.
inline std::vector<std::string> EventFilesOf(const std::filesystem::path& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace facegate
