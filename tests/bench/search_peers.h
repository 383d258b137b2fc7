#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/search_contenders.h"
#include "tests/support/temp_dir.h"

namespace facegate {

// The libraries of PyPI, in a process of Python of their own (search_peers.py), which has the same
// vectors and searches when it is told to.
class SearchPeers {
 public:
  // `python` has numpy, faiss-cpu and usearch. Graphs take minutes for each 100,000 rows.
  static StatusOr<std::unique_ptr<SearchPeers>> Start(const std::string& python,
                                                      const SearchFaces& faces, bool with_graphs);
  ~SearchPeers();
  SearchPeers(const SearchPeers&) = delete;
  SearchPeers& operator=(const SearchPeers&) = delete;

  // What versions of what there are.
  const std::string& description() const { return description_; }
  std::vector<Contender> ContendersOf(const SearchCase& search);

  // The share of probes whose best template each of those that need not find it has found.
  const std::vector<std::pair<std::string, double>>& found() const { return found_; }

 private:
  SearchPeers() = default;
  StatusOr<nlohmann::json> Read();
  StatusOr<double> Burst(const std::string& peer, const SearchCase& search, double seconds);

  const TempDir vectors_;
  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
  std::string description_;
  std::vector<std::string> names_;
  std::vector<std::pair<std::string, double>> found_;
};

}  // namespace facegate
