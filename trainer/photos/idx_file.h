#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

// The idx format in which MNIST is published (LeCun, Cortes and Burges): two zero bytes, a byte for
// the type (8: unsigned bytes, the one that is read here), a byte for the number of extents, each
// extent as a big-endian 32-bit number, then the elements, the last extent running fastest. Files
// are often gzipped (RFC 1952).
namespace facegate {

struct IdxArray {
  std::vector<uint32_t> shape;  // 1 to 8 extents
  std::string bytes;            // an element each
};

// An idx file's bytes, plain or gzipped, whatever the file is called. kInvalidArgument for anything
// else: another type, extents that do not give exactly the bytes that follow, a torn or damaged
// gzip stream. Nothing is allocated for what the header claims but the bytes cannot hold.
StatusOr<IdxArray> ParseIdx(std::string_view bytes);

// The file of that name, with the errors of ParseIdx() and ReadFile(); messages name the path.
StatusOr<IdxArray> ReadIdxFile(const std::string& path);

// Square or oblong grey pictures of one size with their classes.
struct DigitSet {
  size_t rows = 0;  // of a picture, pixels
  size_t columns = 0;
  std::string pixels;  // 0..255, picture after picture, from the upper left corner by rows
  std::vector<uint8_t> labels;

  size_t size() const { return labels.size(); }
};

// Tells somebody who has no MNIST where to get it.
inline constexpr std::string_view kMnistSource =
    "MNIST is four files: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
    "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz, to be had from "
    "https://ossci-datasets.s3.amazonaws.com/mnist/ or yann.lecun.com/exdb/mnist";

// One of the halves of MNIST.
enum class DigitPart { kTrain, kTest };

// Reads "train-images-idx3-ubyte" and "train-labels-idx1-ubyte", or the "t10k-" pair for kTest,
// with or without ".gz" behind, from `folder`. kNotFound, naming what is missing and where it comes
// from; kInvalidArgument when pictures and labels do not fit together or a label is not 0..9.
StatusOr<DigitSet> ReadDigits(const std::string& folder, DigitPart part);

}  // namespace facegate
