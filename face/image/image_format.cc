#include "face/image/image_format.h"

#include <algorithm>
#include <array>

namespace facegate {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kSpaces = " \t\r\n\v\f";

struct Signature {
  ImageFormat format;
  std::string_view start;
};

// Files that begin with fixed bytes.
constexpr std::array kSignatures = {
    Signature{ImageFormat::kJpeg, {"\xff\xd8\xff", 3}},
    Signature{ImageFormat::kPng, {"\x89PNG\r\n\x1a\n", 8}},
    Signature{ImageFormat::kGif, "GIF87a"},
    Signature{ImageFormat::kGif, "GIF89a"},
    Signature{ImageFormat::kTiff, {"II*\0", 4}},
    Signature{ImageFormat::kTiff, {"MM\0*", 4}},
    Signature{ImageFormat::kTiff, {"II+\0", 4}},  // with 64-bit offsets
    Signature{ImageFormat::kTiff, {"MM\0+", 4}},
    Signature{ImageFormat::kJpeg2000, {"\0\0\0\x0cjP  \r\n\x87\n", 12}},
    Signature{ImageFormat::kJpeg2000, {"\xff\x4f\xff\x51", 4}},  // a bare codestream
    Signature{ImageFormat::kJpegXl, {"\0\0\0\x0cJXL \r\n\x87\n", 12}},
    Signature{ImageFormat::kJpegXl, {"\xff\x0a", 2}},  // a bare codestream
    Signature{ImageFormat::kPhotoshop, "8BPS"},
    Signature{ImageFormat::kIcon, {"\0\0\1\0", 4}},
    Signature{ImageFormat::kIcon, {"\0\0\2\0", 4}},      // a cursor
    Signature{ImageFormat::kVideo, "\x1a\x45\xdf\xa3"},  // Matroska and WebM
    Signature{ImageFormat::kPdf, "%PDF-"},
    Signature{ImageFormat::kZip, "PK\x03\x04"},
    Signature{ImageFormat::kGitLfsPointer, "version https://git-lfs."},
};

// Text that begins with fixed letters, in either case, after a byte order mark and white space.
constexpr std::array kTextSignatures = {
    Signature{ImageFormat::kDataUri, "data:"},     Signature{ImageFormat::kSvg, "<svg"},
    Signature{ImageFormat::kSvg, "<!doctype svg"}, Signature{ImageFormat::kHtml, "<!doctype html"},
    Signature{ImageFormat::kHtml, "<html"},        Signature{ImageFormat::kHtml, "<head"},
    Signature{ImageFormat::kHtml, "<body"},        Signature{ImageFormat::kXml, "<?xml"},
};

// The base64 text of a picture begins so: JPEG, PNG, RIFF, GIF, and the boxes of HEIC and AVIF.
constexpr std::array<std::string_view, 5> kBase64Starts = {"/9j/", "iVBORw0KGgo", "UklGR", "R0lGOD",
                                                           "AAAA"};

// ISO base media files: the brands of their "ftyp" box.
constexpr std::array<std::string_view, 2> kAvifBrands = {"avif", "avis"};
constexpr std::array<std::string_view, 8> kHeicBrands = {"heic", "heix", "heim", "heis",
                                                         "hevc", "hevx", "mif1", "msf1"};

struct FormatText {
  ImageFormat format;
  std::string_view name;
  std::string_view with_article;
};
constexpr std::array kTexts = {
    FormatText{ImageFormat::kJpeg, "JPEG", "a JPEG"},
    FormatText{ImageFormat::kPng, "PNG", "a PNG"},
    FormatText{ImageFormat::kWebp, "WebP", "a WebP picture"},
    FormatText{ImageFormat::kBmp, "BMP", "a BMP"},
    FormatText{ImageFormat::kPgm, "PGM", "a PGM or PPM"},
    FormatText{ImageFormat::kHeic, "HEIC", "a HEIC picture"},
    FormatText{ImageFormat::kAvif, "AVIF", "an AVIF picture"},
    FormatText{ImageFormat::kGif, "GIF", "a GIF"},
    FormatText{ImageFormat::kTiff, "TIFF", "a TIFF"},
    FormatText{ImageFormat::kJpeg2000, "JPEG 2000", "a JPEG 2000 picture"},
    FormatText{ImageFormat::kJpegXl, "JPEG XL", "a JPEG XL picture"},
    FormatText{ImageFormat::kPhotoshop, "Photoshop", "a Photoshop file"},
    FormatText{ImageFormat::kIcon, "ICO", "an icon file"},
    FormatText{ImageFormat::kOtherNetpbm, "PBM or PAM", "a PBM or PAM"},
    FormatText{ImageFormat::kSvg, "SVG", "an SVG drawing"},
    FormatText{ImageFormat::kVideo, "video", "a video"},
    FormatText{ImageFormat::kPdf, "PDF", "a PDF"},
    FormatText{ImageFormat::kHtml, "HTML", "an HTML page"},
    FormatText{ImageFormat::kXml, "XML", "an XML file"},
    FormatText{ImageFormat::kDataUri, "data URI", "a data URI (send the bytes that it stands for)"},
    FormatText{ImageFormat::kBase64, "base64",
               "a picture as base64 text (send the bytes that it stands for)"},
    FormatText{ImageFormat::kGitLfsPointer, "Git LFS pointer",
               "a Git LFS pointer (the file itself was not fetched)"},
    FormatText{ImageFormat::kText, "text", "a text file"},
    FormatText{ImageFormat::kZip, "ZIP", "a ZIP archive"},
    FormatText{ImageFormat::kEmpty, "empty", "an empty file"},
    FormatText{ImageFormat::kUnknown, "unknown", "a file of an unknown kind"},
};

const FormatText& TextOf(ImageFormat format) {
  const auto* const found = std::find_if(
      kTexts.begin(), kTexts.end(), [&](const FormatText& text) { return text.format == format; });
  return found == kTexts.end() ? kTexts.back() : *found;
}

char LowerCase(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool StartsWithLetters(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char expected, char letter) { return expected == LowerCase(letter); });
}

template <size_t kCount>
bool Contains(const std::array<std::string_view, kCount>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// The major brand of the "ftyp" box, then (after four bytes of version) the compatible ones: "mif1"
// alone says no more than that it is a picture.
ImageFormat SniffBoxes(std::string_view bytes) {
  constexpr size_t kBrand = 4;
  const std::string_view major = bytes.substr(8, kBrand);
  if (major == "jp2 " || major == "jpx ") return ImageFormat::kJpeg2000;
  if (Contains(kAvifBrands, major)) return ImageFormat::kAvif;
  if (!Contains(kHeicBrands, major)) return ImageFormat::kVideo;
  for (size_t at = 16; at + kBrand <= bytes.size(); at += kBrand) {
    if (Contains(kAvifBrands, bytes.substr(at, kBrand))) return ImageFormat::kAvif;
  }
  return ImageFormat::kHeic;
}

// "P", a digit, and white space or a comment.
ImageFormat SniffNetpbm(std::string_view bytes) {
  if (bytes.size() < 3 || bytes[0] != 'P' ||
      (kSpaces.find(bytes[2]) == std::string_view::npos && bytes[2] != '#')) {
    return ImageFormat::kUnknown;
  }
  switch (bytes[1]) {
    case '2':
    case '3':
    case '5':
    case '6':
      return ImageFormat::kPgm;
    case '1':
    case '4':
    case '7':
    case 'f':
    case 'F':
      return ImageFormat::kOtherNetpbm;
    default:
      return ImageFormat::kUnknown;
  }
}

// Returns how many bytes follow the first one of a UTF-8 sequence; 4 where it is not a first one.
int FollowingBytes(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first < 0xe0) return 1;
  if (first >= 0xe0 && first < 0xf0) return 2;
  return first >= 0xf0 && first < 0xf5 ? 3 : 4;
}

// UTF-8 without control characters but white space; the last sequence may be cut.
bool IsText(std::string_view bytes) {
  int due = 0;
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (due > 0) {
      if ((code & 0xc0) != 0x80) return false;
      --due;
      continue;
    }
    due = FollowingBytes(code);
    const bool control =
        (code < 0x20 && kSpaces.find(byte) == std::string_view::npos) || code == 0x7f;
    if (control || due > 3) return false;
  }
  return true;
}

bool IsBase64Byte(char byte) {
  const char letter = LowerCase(byte);
  return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') ||
         std::string_view("+/=-_\r\n").find(byte) != std::string_view::npos;
}

ImageFormat SniffText(std::string_view bytes) {
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  if (!IsText(bytes)) return ImageFormat::kUnknown;
  bytes.remove_prefix(std::min(bytes.find_first_not_of(kSpaces), bytes.size()));
  for (const Signature& signature : kTextSignatures) {
    if (!StartsWithLetters(bytes, signature.start)) continue;
    const bool drawing = bytes.find("<svg") != std::string_view::npos;
    return signature.format == ImageFormat::kXml && drawing ? ImageFormat::kSvg : signature.format;
  }
  const bool base64 = std::any_of(kBase64Starts.begin(), kBase64Starts.end(),
                                  [&](std::string_view start) { return bytes.starts_with(start); });
  if (base64 && std::all_of(bytes.begin(), bytes.end(), IsBase64Byte)) return ImageFormat::kBase64;
  return ImageFormat::kText;
}

}  // namespace

ImageFormat SniffImageFormat(std::string_view first_bytes) {
  const std::string_view bytes = first_bytes.substr(0, kSniffedBytes);
  if (bytes.empty()) return ImageFormat::kEmpty;
  for (const Signature& signature : kSignatures) {
    if (bytes.starts_with(signature.start)) return signature.format;
  }
  const std::string_view kind = bytes.size() >= 12 ? bytes.substr(8, 4) : std::string_view();
  if (bytes.starts_with("RIFF") && kind == "WEBP") return ImageFormat::kWebp;
  if (bytes.starts_with("RIFF") && kind == "AVI ") return ImageFormat::kVideo;
  if (!kind.empty() && bytes.substr(4, 4) == "ftyp") return SniffBoxes(bytes);
  const ImageFormat map = SniffNetpbm(bytes);
  if (map != ImageFormat::kUnknown) return map;
  const ImageFormat text = SniffText(bytes);
  // BMP comes after the text: a word may begin with these two letters, and a bitmap is never text.
  if (text == ImageFormat::kUnknown && bytes.starts_with("BM")) return ImageFormat::kBmp;
  return text;
}

std::string_view Name(ImageFormat format) { return TextOf(format).name; }

std::string_view NameWithArticle(ImageFormat format) { return TextOf(format).with_article; }

bool IsDecodable(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
    case ImageFormat::kPng:
    case ImageFormat::kWebp:
    case ImageFormat::kBmp:
    case ImageFormat::kPgm:
      return true;
    default:
      return false;
  }
}

bool IsHeif(ImageFormat format) {
  return format == ImageFormat::kHeic || format == ImageFormat::kAvif;
}

// Pictures come before everything else in the list of formats.
bool IsPicture(ImageFormat format) { return format < ImageFormat::kVideo; }

std::string_view DecodableFormats() { return "JPEG, PNG, WebP, BMP, PGM, PPM"; }

}  // namespace facegate
