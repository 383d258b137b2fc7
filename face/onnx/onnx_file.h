#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/onnx/onnx_model.h"

namespace facegate {

// The bytes of an ONNX file are a message of protocol buffers, ModelProto of github.com/onnx/onnx,
// onnx/onnx.proto. Both calls are bounded by that format: 2 GiB, and tensors that are larger stand
// in files of their own beside it.

// Reads a model. Tensors may be of the types that DType has, in raw_data, in the fields of their
// types or in files of the folder `folder` (or of folders within it). kInvalidArgument, saying what
// is wrong and where, for bytes that are no such model; for sizes that do not agree; for more than
// a million fields; for operators that hold graphs (If, Loop, Scan), by name; for sparse tensors,
// strings and other types; and for a place of data outside of the folder. Allocates in proportion
// to the bytes given and to the files that they name, of 4 GiB together at most.
StatusOr<OnnxModel> ParseOnnx(std::string_view bytes, const std::string& folder);

// Writes a model, all tensors within. The same model gives the same bytes. kInvalidArgument where
// they would be 2 GiB or more, which protocol buffers cannot hold.
StatusOr<std::string> SerializeOnnx(OnnxModel model);

// Says whether bytes begin as an ONNX file does: IR version, then the name of what wrote it or the
// graph. Files that were written in another order are ones, too.
bool LooksLikeOnnx(std::string_view bytes);

}  // namespace facegate
