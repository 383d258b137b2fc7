#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// A card's memory for rows, and the search among them. Rows and queries are numbers of half
// precision (IEEE 754 binary16, by their bits). One thread at a time uses it, and what it made.
class SearchCard {
 public:
  // Memory for a number of rows. It is wiped before it goes.
  class Block {
   public:
    virtual ~Block() = default;
  };

  // The first rows of a block.
  struct Part {
    const Block* block = nullptr;
    size_t rows = 0;  // at least 1
  };
  // The best rows of one part: for each query in turn as many as were wanted, or all there are, the
  // highest product first.
  struct Best {
    size_t of_query = 0;
    std::vector<float> products;
    std::vector<uint32_t> rows;
  };

  virtual ~SearchCard() = default;

  // Such as "cuda:0 (NVIDIA H100 80GB HBM3)".
  virtual std::string name() const = 0;
  virtual StatusOr<uint64_t> free_bytes() = 0;
  // The most rows that a search can ask for.
  virtual size_t most_wanted() const = 0;

  // kResourceExhausted when the card has no such room; nothing is broken then.
  virtual StatusOr<std::unique_ptr<Block>> Allocate(size_t rows, size_t dimension) = 0;
  // Puts rows in place of those from number `at` on.
  virtual Status Write(Block& block, size_t at, std::span<const uint16_t> rows) = 0;
  virtual Status Copy(const Block& from, size_t begin, size_t rows, Block& to, size_t at) = 0;
  virtual Status Wipe(Block& block, size_t at, size_t rows) = 0;

  // `parts` are of blocks of one dimension, `queries` a number of vectors of that, 1 to
  // kMostQueries; `wanted` is 1 to most_wanted(). Each product is within HalfDotErrorBound()
  // (half.h) of that of real numbers.
  static constexpr size_t kMostQueries = 1024;
  virtual StatusOr<std::vector<Best>> Search(std::span<const Part> parts,
                                             std::span<const uint16_t> queries, size_t dimension,
                                             size_t wanted) = 0;
};

// What the module that searches on cards has as its entry (face/base/module.h): the card with that
// number, kFailedPrecondition where it cannot be used.
using OpenSearchCard = StatusOr<std::unique_ptr<SearchCard>>(int number);
inline constexpr char kSearchCardModule[] = "facegate-card-search";

}  // namespace facegate
