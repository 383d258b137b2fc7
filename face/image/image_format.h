#pragma once

#include <cstddef>
#include <string_view>

// Tells what a file is, by its first bytes. Depends on nothing, so that whoever must tell photos
// from other files (a client, the trainer) asks the same table as the decoder.
namespace facegate {

enum class ImageFormat {
  // Decodable (IsDecodable() has the last word).
  kJpeg,  // also MPO, .jfif and whatever else begins like a JPEG
  kPng,
  kWebp,
  kBmp,
  kPgm,  // Netpbm's PGM and PPM, text and binary
  // Pictures that are not taken, or only where a library for them is installed.
  kHeic,
  kAvif,
  kGif,
  kTiff,  // also most cameras' raw files
  kJpeg2000,
  kJpegXl,
  kPhotoshop,
  kIcon,
  kOtherNetpbm,  // PBM, PAM and floating-point maps
  kSvg,
  // No pictures.
  kVideo,
  kPdf,
  kHtml,
  kXml,
  kDataUri,  // "data:image/jpeg;base64,…" in place of the bytes that it stands for
  kBase64,   // a picture as base64 text
  kGitLfsPointer,
  kText,
  kZip,
  kEmpty,
  kUnknown,
};

// SniffImageFormat() looks at so many bytes from the start of a file; more do no harm.
inline constexpr size_t kSniffedBytes = 64;

// The format that a file's first bytes announce; kEmpty for none, kUnknown where nothing fits. Says
// nothing about the rest of the file. Where fewer than kSniffedBytes are given, they are taken for
// the whole file. Thread-safe.
ImageFormat SniffImageFormat(std::string_view first_bytes);

// A name for lists and reports: "JPEG", "HEIC", "HTML", "unknown".
std::string_view Name(ImageFormat format);

// The same within a sentence, with its article: "a JPEG", "an HTML page", "an empty file".
std::string_view NameWithArticle(ImageFormat format);

// True when DecodeImage() (face/image/decode.h) takes the format with its default limits.
bool IsDecodable(ImageFormat format);

// True for HEIC and AVIF: DecodeImage() takes them where its limits allow it and libheif is
// installed.
bool IsHeif(ImageFormat format);

// True for a picture's format, decodable or not.
bool IsPicture(ImageFormat format);

// Names what is decodable, for messages: "JPEG, PNG, WebP, BMP, PGM, PPM".
std::string_view DecodableFormats();

}  // namespace facegate
