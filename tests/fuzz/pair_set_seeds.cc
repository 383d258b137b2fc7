// Seeds for pickled_pairs_fuzz.cc, bcolz_pairs_fuzz.cc and memfile_pairs_fuzz.cc: sets of pairs of
// a few pixels.
#include <opencv2/core/mat.hpp>

#include "tests/fuzz/seeds.h"
#include "tests/support/pair_set_files.h"

namespace facegate {
namespace {

using namespace std::string_literals;

TestPairs SmallPairs() {
  TestPairs pairs;
  for (int i = 0; i < 4; ++i) pairs.pictures.emplace_back(4, 4, CV_8UC3, cv::Scalar(i, 2 * i, 200));
  pairs.same = {true, false};
  return pairs;
}

constexpr char kTruths[] = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }      \n";

}  // namespace

std::vector<Seed> PickledPairsSeeds() {
  const std::string array =
      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R(K\1K\2\x85"
      "cnumpy\ndtype\nU\2u1\x89\x88\x87R(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
      "\x89U\2\xff\xd8tb"s;
  const std::string truth =
      "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\2b1\x89\x88\x87RU\1\1\x86R"s;
  return {
      {"protocol_4", PairPickle(SmallPairs(), 4)},
      {"protocol_2", PairPickle(SmallPairs(), 2)},
      {"python_2", "\x80\2](U\3abcU\3defe]\x88\x61\x86."s},
      {"bytearray", "\x80\5](\x96\2\0\0\0\0\0\0\0abC\1be]\x88\x61\x86."s},
      {"numpy", "\x80\2](" + array + array + "e]" + truth + "a\x86."},
      {"same_many_times", "\x80\2](U\1aq\0h\0h\0h\0e](\x88\x89"s + "e\x86."},
      {"hostile", "\x80\2cos\nsystem\nU\4true\x85R."s},
  };
}

std::vector<Seed> BcolzPairsSeeds() {
  std::string smooth;
  for (int i = 0; i < 4096; ++i) smooth.push_back(static_cast<char>(i / 97));
  const std::string chunk = BcolzChunk(smooth);
  return {
      {"chunk", "c" + chunk},
      {"chunk_of_noise", "c" + BcolzChunk("0f9A#z~q1\x80\x02k")},
      {"chunk_cut_off", "c" + chunk.substr(0, chunk.size() - 3)},
      {"sizes", R"(s{"shape": [12, 3, 112, 112], "nbytes": 1806336, "cbytes": 7})"},
      {"storage",
       R"(t{"dtype": "float32", "cparams": {"clevel": 5}, "chunklen": 13, "dflt": 0.0})"},
      {"storage_long_chunk", R"(t{"dtype": "float32", "chunklen": 18446744073709551615})"},
      {"storage_row_type", R"~(t{"dtype": "('<f4', (3, 112, 112))", "chunklen": 1})~"},
  };
}

std::vector<Seed> MemfilePairsSeeds() {
  return {
      {"conf", R"({"shape": [14000, 3, 112, 112], "dtype": "float32"})"},
      {"conf_other_shape", R"({"shape": [14000, 37632], "dtype": "float32"})"},
      {"truths", "\x93NUMPY\x01\x00\x40\x00"s + kTruths + "\1\0\1"s},
      {"truths_cut_off", "\x93NUMPY\x01\x00\x40\x00"s + kTruths + "\1"s},
  };
}

}  // namespace facegate
