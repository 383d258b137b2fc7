#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace facegate {

// A smooth picture without symmetry: each of its turns and reflections differs from it.
cv::Mat SmoothPicture(int width, int height);

// Encodes by cv::imencode; `extension` with its dot.
std::string EncodeImage(const std::string& extension, const cv::Mat& picture,
                        const std::vector<int>& parameters = {});

// An EXIF block whose first directory holds the orientation as its second entry, without the
// "Exif\0\0" in front.
std::string TiffBlock(int orientation, bool big_endian);

// The file with the block put in: as the first segment of a JPEG, after the header chunk of a PNG,
// in an extended (VP8X) WebP of the given size.
std::string JpegWithExif(std::string_view jpeg, std::string_view tiff);
std::string PngWithExif(std::string_view png, std::string_view tiff);
std::string WebpWithExif(std::string_view webp, std::string_view tiff, cv::Size size);

// Length, type, body and checksum.
std::string PngChunk(std::string_view type, std::string_view body);
std::string PngHeaderChunk(uint32_t width, uint32_t height, int bit_depth, int colour_type);
// The signature, the header chunk, `between`, an IDAT of the rows as they are (each begins with its
// filter byte) and IEND.
std::string PngOfRows(std::string_view header_chunk, std::string_view between,
                      std::string_view rows);

}  // namespace facegate
