#pragma once

#include <cstddef>
#include <cstdint>

#include "face/base/status.h"

namespace facegate {

// The part of libheif's C interface that is used, whose functions keep their form from version 1.11
// on. Its codecs are under the GPL in part, so it is neither needed to build nor linked: the
// library is looked for when the first HEIC or AVIF picture comes.
struct HeifContext;
struct HeifHandle;
struct HeifImage;

struct HeifError {
  int code = 0;  // 0: none
  int detail = 0;
  const char* message = nullptr;
};

inline constexpr int kHeifColourspaceRgb = 1;
inline constexpr int kHeifChromaRgb = 10;  // interleaved, 8 bits each
inline constexpr int kHeifChromaRgba = 11;
inline constexpr int kHeifChannelInterleaved = 10;

struct HeifLibrary {
  HeifContext* (*context_alloc)() = nullptr;
  void (*context_free)(HeifContext*) = nullptr;
  void (*set_largest_side)(HeifContext*, int) = nullptr;
  void (*set_threads)(HeifContext*, int) = nullptr;
  HeifError (*read)(HeifContext*, const void*, size_t, const void*) = nullptr;
  HeifError (*primary_handle)(HeifContext*, HeifHandle**) = nullptr;
  void (*handle_release)(const HeifHandle*) = nullptr;
  int (*handle_width)(const HeifHandle*) = nullptr;
  int (*handle_height)(const HeifHandle*) = nullptr;
  int (*handle_has_alpha)(const HeifHandle*) = nullptr;
  HeifError (*decode)(const HeifHandle*, HeifImage**, int, int, const void*) = nullptr;
  void (*image_release)(const HeifImage*) = nullptr;
  int (*image_width)(const HeifImage*, int) = nullptr;
  int (*image_height)(const HeifImage*, int) = nullptr;
  const uint8_t* (*plane)(const HeifImage*, int, int*) = nullptr;
};

// The library, opened once and kept. kImageUndecodable, naming Debian's package, where it is not
// installed. Thread-safe.
StatusOr<const HeifLibrary*> OpenHeifLibrary();

}  // namespace facegate
