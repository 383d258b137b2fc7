#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "face/base/status.h"
#include "index/rows/cuda/card_memory.h"
#include "index/rows/cuda/selection.h"

namespace facegate::cuda {

// How the best rows of a part are looked for: products of some queries with a tile of rows, each
// query's cut into slices; the best of each slice, the best of those, and so on; then the best of
// the tiles.
//
// faiss::gpu::bfKnn() does that without slices: one block of threads goes through all products of a
// query, which for a single query takes a card several times as long as the products themselves. It
// also asks for plain float32 arithmetic where tensor cores can do, takes 2 GB for 512 queries, and
// ends the process where cuBLAS cannot multiply.
struct RankingPlan {
  RankingPlan(size_t all_queries, size_t all_rows, size_t most_wanted);

  // Slices that the products of so many rows are cut into: a power of two. Each has slice_length()
  // of them, the last one what fills it up.
  size_t SlicesOf(size_t tile_rows) const;
  static size_t SliceLength(size_t tile_rows, size_t slices);

  size_t queries;  // at a time
  size_t rows;     // of a tile; the last one may have fewer
  size_t tiles;
  size_t wanted;

  // Products that are in memory at once: 256 MB.
  static constexpr size_t kProducts = size_t{1} << 26;
};

// Rows or queries on the card, in half precision.
struct HalfVectors {
  const uint16_t* halves = nullptr;
  size_t count = 0;
};

// Ranks rows on one card, and has the memory that it takes. One thread at a time uses it, which has
// chosen the card.
class RowRanking {
 public:
  // Everything is queued on `stream`, which must outlive it.
  static StatusOr<std::unique_ptr<RowRanking>> Create(cudaStream_t stream);
  ~RowRanking();
  RowRanking(const RowRanking&) = delete;
  RowRanking& operator=(const RowRanking&) = delete;

  // Makes room for Rank() with so much; nothing that was queued may be under way.
  Status Reserve(size_t queries, size_t rows, size_t wanted);

  // Queues: for each query the `wanted` (at most rows.count) rows with the highest products, in
  // descending order, one query after the other.
  Status Rank(const HalfVectors& queries, const HalfVectors& rows, size_t dimension, size_t wanted,
              float* products, int* places);

 private:
  // What is selected of slices, before the best are selected of that.
  struct Room {
    CardValues<float> products;
    CardValues<int> places;

    Status Reserve(size_t count);
    Selected Of(int stride) const { return {products.data(), places.data(), stride}; }
  };

  explicit RowRanking(cudaStream_t stream) : stream_(stream) {}

  // The best rows of a tile.
  Status RankTile(const RankingPlan& plan, const HalfVectors& queries, const HalfVectors& rows,
                  size_t dimension, Selected best);
  // Puts the products of each query into products_, `stride` from one query to the next.
  Status Multiply(const HalfVectors& queries, const HalfVectors& rows, size_t dimension,
                  size_t stride);

  const cudaStream_t stream_;
  cublasHandle_t blas_ = nullptr;
  CardValues<float> products_;
  Room slices_;
  Room fewer_slices_;
  Room tiles_;
};

}  // namespace facegate::cuda
