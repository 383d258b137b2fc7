#pragma once

#include <faiss/IndexFlat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "index/rows/vector_index.h"

namespace facegate {

inline constexpr size_t kProbes = 64;

using Matches = std::vector<std::vector<IndexMatch>>;

// Templates of people, and kProbes probes of some of them.
class SearchFaces {
 public:
  SearchFaces(std::string name, size_t dimension)
      : name_(std::move(name)), flat_(static_cast<faiss::Index::idx_t>(dimension)) {}

  void Reserve(size_t rows) { flat_.codes.reserve(rows * flat_.code_size); }
  void AddTemplate(uint64_t person, std::span<const float> vector) {
    people_.push_back(person);
    flat_.add(1, vector.data());
  }
  void AddProbe(uint64_t person, std::vector<float> vector) {
    probe_people_.push_back(person);
    probes_.push_back(std::move(vector));
  }

  const std::string& name() const { return name_; }
  size_t dimension() const { return static_cast<size_t>(flat_.d); }
  size_t rows() const { return people_.size(); }
  std::span<const float> Row(size_t row) const {
    return {flat_.get_xb() + row * dimension(), dimension()};
  }
  std::span<const float> AllRows() const { return {flat_.get_xb(), rows() * dimension()}; }
  uint64_t PersonOf(size_t row) const { return people_[row]; }
  const std::vector<std::vector<float>>& probes() const { return probes_; }
  const faiss::IndexFlatIP& flat() const { return flat_; }

  // Of the first probes the best rows of `k` people each; row n has the template id n + 1.
  Matches FullScan(size_t probes, size_t k) const;
  // The lowest and the highest cosine of a probe with a template of its person.
  std::pair<float, float> GenuineCosines() const;

 private:
  std::string name_;
  faiss::IndexFlatIP flat_;
  std::vector<uint64_t> people_;  // of each row
  std::vector<std::vector<float>> probes_;
  std::vector<uint64_t> probe_people_;
};

// People around centres that point anywhere, two templates of each; the faces of a person are at a
// cosine of about 0.4 to 0.9 with each other.
SearchFaces MakeSearchFaces(size_t rows);

// The faces of real photos, as FACEGATE_DATA has them (its README.md says how they were made);
// probes are embeddings of mirrored photos.
StatusOr<SearchFaces> ReadSearchFaces(const std::filesystem::path& data);

}  // namespace facegate
