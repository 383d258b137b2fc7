#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

// Sets of pairs in the forms in which they are handed round, written by their specifications.
namespace facegate {

// Pictures 2 i and 2 i + 1 are pair i.
struct TestPairs {
  std::vector<cv::Mat> pictures;  // 8-bit BGR, 112 x 112
  std::vector<bool> same;
};

// `pairs` pairs of synthetic crops: of one person, whose pictures are alike, where the number of
// the pair is even, else of two.
TestPairs MakeTestPairs(size_t pairs);

// InsightFace's .bin with PNG pictures; as Python 3 writes it with protocol 4, or, with bytes as
// text, with protocol 2.
std::string PairPickle(const TestPairs& pairs, int protocol = 4);

// NAME_list.npy beside `set`, and the array in the folder `set`.
void WriteBcolzPairs(const std::string& set, const TestPairs& pairs, size_t chunk_pictures);
void WriteMemfilePairs(const std::string& set, const TestPairs& pairs);
// The pictures as NAME/NUMBER.png in `folder`, and a list of the pairs.
void WriteListedPairs(const std::string& folder, const std::string& list, const TestPairs& pairs);

// A chunk's file of bcolz with these values.
std::string BcolzChunk(std::string_view values);

}  // namespace facegate
