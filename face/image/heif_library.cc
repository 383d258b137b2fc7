#include "face/image/heif_library.h"

#include <dlfcn.h>

#include "face/image/undecodable.h"

namespace facegate {
namespace {

constexpr char kFile[] = "libheif.so.1";

// Takes functions of a library; remembers whether one was missing.
class Symbols {
 public:
  explicit Symbols(void* library) : library_(library) {}

  template <typename Function>
  void Take(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(::dlsym(library_, name));
    complete_ = complete_ && function != nullptr;
  }
  bool complete() const { return complete_; }

 private:
  void* library_;
  bool complete_ = true;
};

StatusOr<HeifLibrary> Load() {
  void* const library = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Undecodable(
        "HEIC and AVIF: libheif is not installed on this machine (Debian: libheif1)");
  }
  HeifLibrary heif;
  Symbols symbols(library);
  symbols.Take("heif_context_alloc", heif.context_alloc);
  symbols.Take("heif_context_free", heif.context_free);
  symbols.Take("heif_context_set_maximum_image_size_limit", heif.set_largest_side);
  symbols.Take("heif_context_set_max_decoding_threads", heif.set_threads);
  symbols.Take("heif_context_read_from_memory_without_copy", heif.read);
  symbols.Take("heif_context_get_primary_image_handle", heif.primary_handle);
  symbols.Take("heif_image_handle_release", heif.handle_release);
  symbols.Take("heif_image_handle_get_width", heif.handle_width);
  symbols.Take("heif_image_handle_get_height", heif.handle_height);
  symbols.Take("heif_image_handle_has_alpha_channel", heif.handle_has_alpha);
  symbols.Take("heif_decode_image", heif.decode);
  symbols.Take("heif_image_release", heif.image_release);
  symbols.Take("heif_image_get_width", heif.image_width);
  symbols.Take("heif_image_get_height", heif.image_height);
  symbols.Take("heif_image_get_plane_readonly", heif.plane);
  if (!symbols.complete()) {
    return Undecodable("HEIC and AVIF: the installed libheif is older than 1.11");
  }
  return heif;
}

}  // namespace

StatusOr<const HeifLibrary*> OpenHeifLibrary() {
  static const StatusOr<HeifLibrary> library = Load();
  if (!library.ok()) return library.status();
  return &*library;
}

}  // namespace facegate
