#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "index/rows/card/search_card.h"
#include "tests/gpu/plain_search.h"

namespace facegate {

// What is measured of searches on a card.
struct SearchTiming {
  int card = 0;  // -1: the stand-in for one (stand_in_cuda.cc)
  size_t dimension = 512;
  std::vector<size_t> batches{1, 64, 1024};
  double seconds = 0.5;  // of each measurement
};

using SearchRow = nlohmann::ordered_json;
// Called with each row as soon as it is measured.
using NoteRow = std::function<void(SearchRow)>;

// The median time of a call, in ms.
StatusOr<double> MedianMs(double seconds, const std::function<Status()>& call);

// Opens the card by the module that a server opens, or the stand-in.
StatusOr<std::unique_ptr<SearchCard>> OpenCard(int number);

// Searches through an index of so many rows, as a server makes them, and what they take while rows
// are added and removed.
Status TimeIndex(const SearchTiming& timing, size_t rows, const NoteRow& note);

// Searches of the card alone among so many rows.
Status TimeCard(const SearchTiming& timing, size_t rows, const NoteRow& note);

// The same rows in FAISS's own index.
Status TimePlain(const SearchTiming& timing, PlainSearch& plain, size_t rows, bool in_halves,
                 const NoteRow& note);

}  // namespace facegate
