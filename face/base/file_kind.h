#pragma once

#include <cstddef>
#include <string_view>

namespace facegate {

// FileKindName() looks at so many bytes from the start of a file; more do no harm.
inline constexpr size_t kFileKindBytes = 512;

// Names what a file is by its first bytes, with its article, for messages: archives ("a gzip
// archive"), files of other programs for numbers and networks ("an HDF5 file", "an ONNX model") and
// databases ("an LMDB database"). Empty where nothing fits; pictures and text are not told (see
// face/image/image_format.h). Thread-safe.
std::string_view FileKindName(std::string_view first_bytes);

}  // namespace facegate
