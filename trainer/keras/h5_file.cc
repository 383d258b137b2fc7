#include "trainer/keras/h5_file.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr std::string_view kMagic = "\x89HDF\r\n\x1a\n";
constexpr int kMaxLinks = 20'000;
constexpr size_t kMaxLevels = 16;
constexpr int kMaxDimensions = 8;
constexpr size_t kMaxNameBytes = 256;

// An identifier of HDF5's, closed by `close`.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  bool ok() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  const hid_t id_;
  herr_t (*const close_)(hid_t);
};

class Walk {
 public:
  explicit Walk(size_t file_bytes) : left_bytes_(file_bytes) {}

  Status Group(hid_t group, const std::string& path, size_t level) {
    if (level > kMaxLevels) return Wrong(path, "is nested too deeply");
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0) return Wrong(path, "cannot be listed");
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      if (++links_ > kMaxLinks) return Wrong(path, "has more links than any network");
      FACEGATE_RETURN_IF_ERROR(Link(group, i, path, level));
    }
    return OkStatus();
  }
  TensorMap Take() { return std::move(tensors_); }

 private:
  static Status Wrong(const std::string& path, std::string_view what) {
    return InvalidArgument(fmt::format("HDF5: {} {}", Quote("/" + path), what));
  }

  Status Link(hid_t group, hsize_t number, const std::string& path, size_t level) {
    std::array<char, kMaxNameBytes + 1> name{};
    const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, number,
                                              name.data(), name.size(), H5P_DEFAULT);
    if (length < 1 || static_cast<size_t>(length) > kMaxNameBytes) {
      return Wrong(path, "has a link whose name cannot be read");
    }
    const std::string below = path.empty() ? name.data() : path + "/" + name.data();
    H5L_info_t link;
    if (H5Lget_info(group, name.data(), &link, H5P_DEFAULT) < 0) {
      return Wrong(below, "cannot be read");
    }
    if (link.type != H5L_TYPE_HARD) return OkStatus();  // leads elsewhere, or to another file
    const Handle object(H5Oopen(group, name.data(), H5P_DEFAULT), H5Oclose);
    if (!object.ok()) return Wrong(below, "cannot be opened");
    switch (H5Iget_type(object.get())) {
      case H5I_GROUP:
        return Group(object.get(), below, level + 1);
      case H5I_DATASET:
        return Dataset(object.get(), below);
      default:
        return OkStatus();
    }
  }

  Status Dataset(hid_t dataset, const std::string& path) {
    const Handle type(H5Dget_type(dataset), H5Tclose);
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    if (!type.ok() || !space.ok() || !creation.ok()) return Wrong(path, "cannot be read");
    if (H5Tequal(type.get(), H5T_IEEE_F32LE) <= 0) return OkStatus();
    const int dimensions = H5Sget_simple_extent_ndims(space.get());
    if (dimensions < 0 || dimensions > kMaxDimensions) {
      return Wrong(path, fmt::format("does not have 0 to {} dimensions", kMaxDimensions));
    }
    std::array<hsize_t, kMaxDimensions> extents{};
    if (H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr) < 0) {
      return Wrong(path, "has no shape");
    }
    Tensor tensor;
    for (int i = 0; i < dimensions; ++i) {
      tensor.shape.push_back(static_cast<int64_t>(extents[static_cast<size_t>(i)]));
    }
    const bool plain = H5Pget_layout(creation.get()) == H5D_CONTIGUOUS &&
                       H5Pget_external_count(creation.get()) == 0;
    if (!plain) return Wrong(path, "is not stored as one piece, as Keras stores weights");
    const int64_t count = tensor.element_count();
    if (count < 0 || static_cast<uint64_t>(count) > left_bytes_ / sizeof(float)) {
      return Wrong(path, "has more numbers than the file can hold");
    }
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    if (H5Dget_storage_size(dataset) != bytes) return Wrong(path, "is not stored as a whole");
    left_bytes_ -= bytes;
    tensor.bytes.resize(bytes);
    if (count > 0 &&
        H5Dread(dataset, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.bytes.data()) < 0) {
      return Wrong(path, "cannot be read");
    }
    tensors_.emplace(path, std::move(tensor));
    return OkStatus();
  }

  size_t left_bytes_;
  int links_ = 0;
  TensorMap tensors_;
};

}  // namespace

bool LooksLikeH5(std::string_view bytes) { return bytes.starts_with(kMagic); }

StatusOr<TensorMap> ParseH5(std::string_view bytes) {
  if (!LooksLikeH5(bytes)) return InvalidArgument("is not an HDF5 file");
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // else it prints what fails
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  constexpr size_t kGrowth = 1 << 16;  // bytes; nothing grows here
  // The copy takes away a const that HDF5 has no word for; it makes its own.
  void* const image = const_cast<char*>(bytes.data());
  if (!access.ok() || H5Pset_fapl_core(access.get(), kGrowth, 0) < 0 ||
      H5Pset_file_image(access.get(), image, bytes.size()) < 0) {
    return Internal("HDF5 does not take a file from memory");
  }
  const Handle file(H5Fopen("in memory", H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file.ok()) return InvalidArgument("the HDF5 file is broken or was cut off");
  const Handle root(H5Gopen2(file.get(), "/", H5P_DEFAULT), H5Gclose);
  if (!root.ok()) return InvalidArgument("the HDF5 file has no root group");
  Walk walk(bytes.size());
  FACEGATE_RETURN_IF_ERROR(walk.Group(root.get(), "", 0));
  return walk.Take();
}

}  // namespace facegate
