#pragma once

#include <hdf5.h>

#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

// HDF5 files as Keras writes them, in memory.
namespace facegate {

struct H5Entry {
  std::string path;
  std::vector<hsize_t> shape;
  std::vector<float> values{};  // empty: 0, 1, 2, ...
  bool chunked = false;
};

// The same entries give the same bytes.
inline std::string H5Bytes(const std::vector<H5Entry>& entries) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  constexpr size_t kGrowth = 1 << 12;
  H5Pset_fapl_core(access, kGrowth, 0);  // in memory alone
  const hid_t file = H5Fcreate("in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  const hid_t groups = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(groups, 1);
  for (const H5Entry& entry : entries) {
    std::vector<float> values = entry.values;
    if (values.empty()) {
      values.resize(std::accumulate(entry.shape.begin(), entry.shape.end(), size_t{1},
                                    [](size_t a, hsize_t b) { return a * b; }));
      std::iota(values.begin(), values.end(), 0.0F);
    }
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, false);
    const auto dimensions = static_cast<int>(entry.shape.size());
    if (entry.chunked) H5Pset_chunk(creation, dimensions, entry.shape.data());
    const hid_t space = H5Screate_simple(dimensions, entry.shape.data(), nullptr);
    const hid_t set =
        H5Dcreate2(file, entry.path.c_str(), H5T_IEEE_F32LE, space, groups, creation, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(creation);
  }
  H5Pclose(groups);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::string bytes(static_cast<size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
  H5Fget_file_image(file, bytes.data(), bytes.size());
  H5Fclose(file);
  H5Pclose(access);
  return bytes;
}

}  // namespace facegate
