#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// A reader of event files that shares no code with their writer.
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

// A protobuf message as its fields' values: numbers and bytes by field, in order.
struct WireMessage {
  std::map<int, std::vector<uint64_t>> numbers{};
  std::map<int, std::vector<std::string>> bytes{};

  uint64_t Number(int field) const { return numbers.at(field).at(0); }
  double Double(int field) const {
    const uint64_t bits = Number(field);
    double value = 0.0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  float Float(int field) const {
    const auto bits = static_cast<uint32_t>(Number(field));
    float value = 0.0F;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  const std::string& Bytes(int field) const { return bytes.at(field).at(0); }
  std::vector<double> Doubles(int field) const {
    std::vector<double> values(Bytes(field).size() / sizeof(double));
    std::memcpy(values.data(), Bytes(field).data(), Bytes(field).size());
    return values;
  }
  WireMessage Message(int field) const { return Parse(Bytes(field)); }

  static WireMessage Parse(std::string_view in) {
    WireMessage message;
    size_t at = 0;
    const auto varint = [&] {
      uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(in.at(at++));
        value |= static_cast<uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    while (at < in.size()) {
      const uint64_t key = varint();
      const auto field = static_cast<int>(key >> 3);
      if ((key & 7) == 0) {
        message.numbers[field].push_back(varint());
      } else if ((key & 7) == 1) {
        message.numbers[field].push_back(NumberAt<uint64_t>(in, at));
        at += 8;
      } else if ((key & 7) == 5) {
        message.numbers[field].push_back(NumberAt<uint32_t>(in, at));
        at += 4;
      } else {
        const uint64_t size = varint();
        message.bytes[field].emplace_back(in.substr(at, size));
        at += size;
      }
    }
    return message;
  }
};

// The events of a file; a wrong sum or length fails the test.
inline std::vector<WireMessage> ReadEvents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto masked = [](std::string_view part) {
    const uint32_t crc = BitwiseCrc(part);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
  };
  std::vector<WireMessage> events;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (rest.size() < 16) {
      ADD_FAILURE() << path << " ends within a record";
      return events;
    }
    const auto size = NumberAt<uint64_t>(rest, 0);
    EXPECT_EQ(NumberAt<uint32_t>(rest, 8), masked(rest.substr(0, 8)));
    EXPECT_EQ(NumberAt<uint32_t>(rest, 12 + size), masked(rest.substr(12, size)));
    events.push_back(WireMessage::Parse(rest.substr(12, size)));
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
