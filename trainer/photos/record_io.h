#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/photo_files.h"

// The bytes of MXNet's RecordIO, as InsightFace publishes training sets (dmlc-core's recordio.h and
// recordio.cc, MXNet's python/mxnet/recordio.py). Nothing here touches files; any bytes are taken.
//
//   file    = record*
//   record  = part+        one part, or where the payload holds the magic at a place that 4 divides
//                          a first, middle and last ones, between which the magic was taken out
//   part    = magic:u32 (kind:3 length:29 bits):u32 length bytes, zeros to a multiple of 4
//   kind    = 0 whole, 1 first, 2 middle, 3 last
//   payload = flag:u32 label:f32 id:u64 id2:u64, flag × f32 labels, the encoded picture
//
// All numbers are little-endian. With a flag of 0 the label is `label`, otherwise the first of the
// labels. The index beside a file has lines "KEY\tOFFSET". In InsightFace's sets the record of key
// 0 has no picture: its first label is the key behind the last picture, and records from there on
// describe identities. One of them that has a picture is a photo nevertheless.
namespace facegate {

constexpr std::string_view kRecordIoMagic = "\x0a\x23\xd7\xce";

// A record with a picture.
struct RecordIoPlace {
  uint64_t offset = 0;  // of its first part
  uint64_t key = 0;     // in the index; its number in the file where there is no index
};

struct RecordIoIndex {
  std::vector<RecordIoPlace> places;  // in the order of the keys
  std::vector<int64_t> labels;        // of each
  LeftOut left_out;                   // records that are not photos
};

// Finds all photos. `index` is the text of the index; where it is empty all records are walked
// through. kDataLoss, naming the byte, where records are torn or damaged; kInvalidArgument for an
// index that does not fit them, or does not name one that has a picture.
StatusOr<RecordIoIndex> IndexRecordIo(std::string_view bytes, std::string_view index);

// The encoded picture of the record at `offset`. kDataLoss where there is none, kInvalidArgument
// where it is larger than a photo for training may be.
StatusOr<std::string> RecordIoImage(std::string_view bytes, uint64_t offset);

}  // namespace facegate
