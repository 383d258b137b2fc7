// Ten thousand damaged files for each reader of sets of pairs: each is read or refused, and nothing
// else happens.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/pair_set_files.h"
#include "tests/support/status_matchers.h"
#include "trainer/photos/bcolz_pairs.h"
#include "trainer/photos/memfile_pairs.h"
#include "trainer/photos/npy_file.h"
#include "trainer/photos/pickled_pairs.h"

namespace facegate {
namespace {

constexpr int kMutations = 10'000;

// Changes, cuts, doubles or exchanges a few bytes.
std::string Mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](size_t limit) { return static_cast<size_t>(random()) % limit; };
  for (size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
    const size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, below(16)));
        break;
      default:
        bytes.erase(at, below(16));
    }
  }
  return bytes;
}

// Returns how many of the files were read in spite of the damage.
template <typename Read>
int ReadMutated(const std::vector<std::string>& originals, Read read) {
  std::mt19937 random(7);
  int accepted = 0;
  for (int i = 0; i < kMutations; ++i) {
    const Status status =
        read(Mutated(originals[static_cast<size_t>(i) % originals.size()], random));
    accepted += status.ok() ? 1 : 0;
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kInvalidArgument) << status;
  }
  return accepted;
}

TEST(MutatedPairSetTest, PicklesAreReadOrRefused) {
  TestPairs small;
  for (int i = 0; i < 8; ++i) small.pictures.emplace_back(4, 4, CV_8UC3, cv::Scalar(i, 2 * i, 200));
  small.same = {true, false, true, false};
  const int accepted =
      ReadMutated({PairPickle(small, 4), PairPickle(small, 2)}, [](const std::string& bytes) {
        const auto pairs = ParsePickledPairs(bytes);
        if (!pairs.ok()) return pairs.status();
        for (const PickledPicture& picture : pairs->pictures) {
          const auto encoded = BytesOf(picture);
          if (!encoded.ok()) return encoded.status();
          EXPECT_LE(encoded->size(), bytes.size());
        }
        return OkStatus();
      });
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kMutations);
}

TEST(MutatedPairSetTest, ChunksAreReadOrRefused) {
  std::string smooth;
  std::string noise;
  std::mt19937 random(3);
  for (int i = 0; i < 4096; ++i) {
    smooth.push_back(static_cast<char>(i / 97));
    noise.push_back(static_cast<char>(random()));
  }
  const int accepted =
      ReadMutated({BcolzChunk(smooth), BcolzChunk(noise)}, [](const std::string& bytes) {
        const auto values = DecodeBcolzChunk(bytes, 1, 1 << 20);
        if (!values.ok()) return values.status();
        EXPECT_LE(values->size(), size_t{1} << 20);
        return OkStatus();
      });
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kMutations);
}

TEST(MutatedPairSetTest, DescriptionsAreReadOrRefused) {
  const std::string sizes = R"({"shape": [12, 3, 112, 112], "nbytes": 1806336, "cbytes": 7})";
  const std::string storage =
      R"({"dtype": "float32", "cparams": {"clevel": 5}, "chunklen": 13, "dflt": [[0.0]]})";
  EXPECT_GT(ReadMutated(
                {sizes},
                [&](const std::string& json) { return ParseBcolzLayout(json, storage).status(); }),
            0);
  EXPECT_GT(
      ReadMutated({storage},
                  [&](const std::string& json) { return ParseBcolzLayout(sizes, json).status(); }),
      0);
  EXPECT_GT(ReadMutated({R"({"shape": [14, 3, 112, 112], "dtype": "float32"})"},
                        [](const std::string& json) { return ParseMemfileConf(json).status(); }),
            0);
  const std::string truths = std::string("\x93NUMPY\x01\x00\x40\x00", 10) +
                             "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }      \n" +
                             "\1\1\1";
  EXPECT_GT(ReadMutated({truths},
                        [](const std::string& bytes) { return ParseNpyTruths(bytes).status(); }),
            0);
}

}  // namespace
}  // namespace facegate
