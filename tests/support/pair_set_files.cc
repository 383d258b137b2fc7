#include "tests/support/pair_set_files.h"

#include <blosc.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "face/base/check.h"
#include "face/base/coding.h"
#include "face/base/file.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

constexpr int kSide = 112;

void Write(const std::string& path, std::string_view bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  FACEGATE_CHECK(WriteFileAtomically(path, bytes).ok());
}

// Bytes as UTF-8 of the characters of the same numbers.
std::string AsText(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<uint8_t>(byte);
    if (value < 0x80) {
      text.push_back(byte);
    } else {
      text.push_back(static_cast<char>(0xc0 | (value >> 6)));
      text.push_back(static_cast<char>(0x80 | (value & 0x3f)));
    }
  }
  return text;
}

void AppendBytes(std::string_view bytes, int protocol, std::string& pickle) {
  if (protocol > 2) {
    pickle.push_back('B');
    AppendLittleEndian(pickle, static_cast<uint32_t>(bytes.size()));
    pickle.append(bytes);
    return;
  }
  const std::string text = AsText(bytes);
  pickle += "c_codecs\nencode\nX";
  AppendLittleEndian(pickle, static_cast<uint32_t>(text.size()));
  pickle += text;
  pickle += std::string("X\6\0\0\0latin1\x86R", 13);
}

std::string Floats(const cv::Mat& picture) {
  std::string bytes;
  for (int channel = 0; channel < 3; ++channel) {
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const float value =
            (static_cast<float>(picture.at<cv::Vec3b>(y, x)[channel]) / 255.0F - 0.5F) / 0.5F;
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      }
    }
  }
  return bytes;
}

void WriteTruths(const std::string& set, const std::vector<bool>& same) {
  std::string header =
      fmt::format("{{'descr': '|b1', 'fortran_order': False, 'shape': ({},), }}", same.size());
  header.resize(117, ' ');
  header.push_back('\n');
  std::string bytes("\x93NUMPY\x01\x00", 8);
  AppendLittleEndian(bytes, static_cast<uint16_t>(header.size()));
  bytes += header;
  for (const bool one : same) bytes.push_back(one ? '\1' : '\0');
  Write(set + "_list.npy", bytes);
}

}  // namespace

TestPairs MakeTestPairs(size_t pairs) {
  TestPairs made;
  for (uint32_t pair = 0; pair < pairs; ++pair) {
    made.same.push_back(pair % 2 == 0);
    for (uint32_t side = 0; side < 2; ++side) {
      cv::Mat picture;
      cv::addWeighted(SyntheticCrop(2 * pair + (made.same.back() ? 0 : side)), 0.8,
                      SyntheticCrop(100'000 + 2 * pair + side), 0.2, 0.0, picture);
      made.pictures.push_back(picture);
    }
  }
  return made;
}

std::string PairPickle(const TestPairs& pairs, int protocol) {
  std::string pickle{'\x80', static_cast<char>(protocol), ']', '('};
  for (const cv::Mat& picture : pairs.pictures) {
    AppendBytes(Encode(picture, ".png"), protocol, pickle);
  }
  pickle += "e](";
  for (const bool same : pairs.same) pickle.push_back(same ? '\x88' : '\x89');
  return pickle + "e\x86.";
}

std::string BcolzChunk(std::string_view values) {
  std::string file("blpk\1\0\0\0\1\0\0\0\0\0\0\0", 16);
  std::string compressed(values.size() + BLOSC_MAX_OVERHEAD, '\0');
  const int size =
      blosc_compress_ctx(5, BLOSC_SHUFFLE, sizeof(float), values.size(), values.data(),
                         compressed.data(), compressed.size(), BLOSC_LZ4_COMPNAME, 0, 1);
  FACEGATE_CHECK(size > 0);
  return file + compressed.substr(0, static_cast<size_t>(size));
}

void WriteBcolzPairs(const std::string& set, const TestPairs& pairs, size_t chunk_pictures) {
  const size_t count = pairs.pictures.size();
  Write(set + "/meta/sizes",
        fmt::format(R"({{"shape": [{}, 3, 112, 112], "nbytes": {}, "cbytes": 1}})", count,
                    count * 150528));
  Write(set + "/meta/storage",
        fmt::format(
            R"({{"dtype": "float32", "cparams": {{"clevel": 5, "shuffle": 1, "cname": "lz4"}},)"
            R"( "chunklen": {}, "dflt": 0.0, "expectedlen": {}}})",
            chunk_pictures, count));
  for (size_t begin = 0, chunk = 0; begin < count; begin += chunk_pictures, ++chunk) {
    std::string values;
    for (size_t i = begin; i < std::min(count, begin + chunk_pictures); ++i) {
      values += Floats(pairs.pictures[i]);
    }
    Write(fmt::format("{}/data/__{}.blp", set, chunk), BcolzChunk(values));
  }
  WriteTruths(set, pairs.same);
}

void WriteMemfilePairs(const std::string& set, const TestPairs& pairs) {
  std::string values;
  for (const cv::Mat& picture : pairs.pictures) values += Floats(picture);
  Write(set + "/memfile/mem_file.dat", values);
  Write(
      set + "/memfile/mem_file.dat.conf",
      fmt::format(R"({{"shape": [{}, 3, 112, 112], "dtype": "float32"}})", pairs.pictures.size()));
  WriteTruths(set, pairs.same);
}

void WriteListedPairs(const std::string& folder, const std::string& list, const TestPairs& pairs) {
  std::string lines;
  for (size_t i = 0; i < pairs.pictures.size(); ++i) {
    Write(fmt::format("{}/{}.png", folder, i), Encode(pairs.pictures[i], ".png"));
    if (i % 2 == 0) continue;
    lines += fmt::format("{}.png {}.png {}\n", i - 1, i, pairs.same[i / 2] ? 1 : 0);
  }
  Write(list, lines);
}

}  // namespace facegate
