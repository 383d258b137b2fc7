#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "face/base/status.h"

// The bytes of TFRecord files of pictures. Nothing here touches files; any bytes are taken.
//
// A file (tensorflow.org/tutorials/load_data/tfrecord):
//   file   = record*
//   record = length:u64 sum of the length:u32 data sum of the data:u32
//   sum    = MaskedCrc() of Crc32c()
//   data   = a message tensorflow.Example (tensorflow/core/example/{example,feature}.proto)
//
// Numbers are little-endian. The features that are read are those that ArcFace's converters write:
// "image/source_id" (else "image/class/label", else "label") is the identity, a whole number or
// one in digits; "image/encoded" is the picture, or "image/img_path" names its file;
// "image/filename" is its name.
namespace facegate {

struct TfRecordPlace {
  std::string_view data;
  uint64_t end = 0;  // where the next record begins
};

// The record at `offset`, whose length and its sum are checked. kDataLoss, naming the byte, where
// there is none.
StatusOr<TfRecordPlace> TfRecordAt(std::string_view bytes, uint64_t offset);
// kDataLoss where the sum of the data is another one than stands behind it.
Status CheckTfRecord(std::string_view bytes, const TfRecordPlace& record);

// True when a file begins with a record's length and its sum.
bool LooksLikeTfRecord(std::string_view start);

// A picture as a record has it; what is not there is empty.
struct TfExample {
  std::optional<int64_t> label;
  std::string_view encoded;
  std::string_view path;
  std::string_view filename;
};
// Nothing where the data are no tensorflow.Example.
std::optional<TfExample> ParseTfExample(std::string_view data);

}  // namespace facegate
