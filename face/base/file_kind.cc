#include "face/base/file_kind.h"

#include <array>

namespace facegate {
namespace {

using namespace std::string_view_literals;

struct Magic {
  size_t offset;
  std::string_view bytes;
  std::string_view name;
};

constexpr std::array kMagics = {
    Magic{0, "PK\x03\x04"sv, "a zip archive"sv},
    Magic{0, "PK\x05\x06"sv, "an empty zip archive"sv},
    Magic{0, "\x1f\x8b"sv, "a gzip archive"sv},
    Magic{0, "BZh"sv, "a bzip2 archive"sv},
    Magic{0,
          "\xfd"
          "7zXZ\0"sv,
          "an xz archive"sv},
    Magic{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive"sv},
    Magic{0, "Rar!\x1a\x07"sv, "a RAR archive"sv},
    Magic{0, "\x28\xb5\x2f\xfd"sv, "a zstd archive"sv},
    Magic{257, "ustar"sv, "a tar archive"sv},
    Magic{0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file (Keras' .h5 is one)"sv},
    Magic{0, "\x93NUMPY"sv, "a NumPy array (.npy)"sv},
    Magic{0, "PAR1"sv, "a Parquet file"sv},
    Magic{0, "ARROW1"sv, "an Arrow file"sv},
    Magic{0, "MATLAB 5.0 MAT-file"sv, "a MATLAB file"sv},
    Magic{0, "SQLite format 3\0"sv, "an SQLite database"sv},
    Magic{16, "\xde\xc0\xef\xbe"sv, "an LMDB database"sv},
    Magic{0, "\x0a\x23\xd7\xce"sv, "an MXNet RecordIO file (.rec)"sv},
    Magic{0, "\x12\x01\0\0\0\0\0\0"sv, "an MXNet .params file"sv},
    Magic{4, "TFL3"sv, "a TensorFlow Lite model"sv},
    Magic{0, "7767517\n"sv, "an ncnn .param file"sv},
    Magic{0, "GGUF"sv, "a GGUF model"sv},
    Magic{0, "MZ\x90"sv, "a Windows program"sv},
    Magic{0,
          "\x7f"
          "ELF"sv,
          "a Linux program"sv},
};

bool IsLetter(char sign) {
  return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') || sign == '_';
}

// Files of protocol buffers have no magic: the first fields tell.
std::string_view ProtobufName(std::string_view bytes) {
  if (bytes.size() < 5) return {};
  // ModelProto: ir_version, then producer_name or the graph.
  const bool varint_first = bytes[0] == '\x08' && bytes[2] == '\x12';
  if (varint_first && bytes[1] == '\x01') return "a TensorFlow SavedModel";
  if (varint_first && bytes[1] >= '\x03' && bytes[1] <= '\x0f' && IsLetter(bytes[4])) {
    return "an ONNX model";
  }
  // GraphDef: the first node, whose first field is its name.
  if (bytes[0] == '\x0a' && bytes[2] == '\x0a' && IsLetter(bytes[4]) && bytes[3] < bytes[1]) {
    return "a frozen TensorFlow graph (.pb)";
  }
  return {};
}

}  // namespace

std::string_view FileKindName(std::string_view first_bytes) {
  for (const Magic& magic : kMagics) {
    if (first_bytes.size() >= magic.offset &&
        first_bytes.substr(magic.offset).starts_with(magic.bytes)) {
      return magic.name;
    }
  }
  return ProtobufName(first_bytes);
}

}  // namespace facegate
