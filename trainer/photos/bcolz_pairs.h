#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/float_pairs.h"
#include "trainer/photos/pair_set.h"

// The sets of pairs of face.evoLVe and AdaFace (get_val_pair): the array of float_pairs.h as a
// carray of bcolz in the folder NAME. Facts of the format (Blosc/bcolz, DISK_FORMAT_v1.rst):
// meta/sizes and meta/storage are JSON objects, with the shape in the one and type and "chunklen",
// the rows of a chunk, in the other. data/__N.blp is chunk N: "blpk", a byte for the version (1),
// three reserved ones, the number of chunks (little-endian i64: 1) and one Blosc buffer. The last
// chunk has the rows that are left, or is filled up to chunklen.
namespace facegate {

inline constexpr size_t kMostChunkPictures = (256 << 20) / kBytesOfPicture;

struct BcolzLayout {
  size_t pictures = 0;
  size_t chunk_pictures = 0;  // 1 to kMostChunkPictures, no more than there are pictures
};

// kInvalidArgument, saying what is wrong, for other texts and arrays, and for chunks of more than
// 256 MiB.
StatusOr<BcolzLayout> ParseBcolzLayout(std::string_view sizes_json, std::string_view storage_json);

// The values of a chunk's file, `least` to `most` bytes of them. kInvalidArgument for anything
// else; no more than `most` is allocated.
StatusOr<std::string> DecodeBcolzChunk(std::string_view file, size_t least, size_t most);

bool SniffBcolzPairs(const DatasetCandidate& candidate);
// Chunks are decompressed when a picture of them is asked for; the newest one is kept.
StatusOr<PairSet> OpenBcolzPairs(const std::string& path);

}  // namespace facegate
