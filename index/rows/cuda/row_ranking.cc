#include "index/rows/cuda/row_ranking.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace facegate::cuda {
namespace {

constexpr size_t kMostQueries = 512;
// Tiles have a multiple of that many rows, so that whatever they are cut into has whole slices.
constexpr size_t kTileStep = 8192;
constexpr size_t kMostSlices = 256;
constexpr size_t kSliceStep = kTileStep / kMostSlices;
constexpr size_t kLeastSlice = 2048;
// Blocks of threads that keep all of a large card at work.
constexpr size_t kBlocks = 2048;
// Slices whose best are put together at once.
constexpr size_t kFan = 16;

// A product that fills slices up, byte for byte: -1.7e38, which no product of rows is below.
constexpr int kFillByte = 0xfe;

int IntOf(size_t value) { return static_cast<int>(value); }

Status StatusOf(cublasStatus_t status, std::string_view what) {
  if (status == CUBLAS_STATUS_SUCCESS) return OkStatus();
  ::cudaGetLastError();
  const std::string text = fmt::format("{}: {}", what, ::cublasGetStatusString(status));
  if (status == CUBLAS_STATUS_ALLOC_FAILED) return {StatusCode::kResourceExhausted, text};
  return Internal(text);
}

}  // namespace

RankingPlan::RankingPlan(size_t all_queries, size_t all_rows, size_t most_wanted)
    : queries(std::min(all_queries, kMostQueries)),
      rows(std::min(all_rows, kProducts / queries / kTileStep * kTileStep)),
      tiles((all_rows + rows - 1) / rows),
      wanted(most_wanted) {}

size_t RankingPlan::SlicesOf(size_t tile_rows) const {
  const size_t least_length = std::max(kLeastSlice, 2 * wanted);
  size_t slices = 1;
  while (slices < kMostSlices && slices * queries < kBlocks &&
         tile_rows >= 2 * slices * least_length) {
    slices *= 2;
  }
  return slices;
}

size_t RankingPlan::SliceLength(size_t tile_rows, size_t slices) {
  return (tile_rows + slices * kSliceStep - 1) / (slices * kSliceStep) * kSliceStep;
}

Status RowRanking::Room::Reserve(size_t count) {
  FACEGATE_RETURN_IF_ERROR(products.Reserve(count));
  return places.Reserve(count);
}

StatusOr<std::unique_ptr<RowRanking>> RowRanking::Create(cudaStream_t stream) {
  std::unique_ptr<RowRanking> made(new RowRanking(stream));
  FACEGATE_RETURN_IF_ERROR(StatusOf(::cublasCreate(&made->blas_), "cuBLAS does not start"));
  FACEGATE_RETURN_IF_ERROR(StatusOf(::cublasSetStream(made->blas_, stream), "cuBLAS"));
  // No sum is made of parts in half precision.
  FACEGATE_RETURN_IF_ERROR(
      StatusOf(::cublasSetMathMode(made->blas_, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION),
               "cuBLAS"));
  FACEGATE_RETURN_IF_ERROR(made->products_.Reserve(RankingPlan::kProducts));
  return made;
}

RowRanking::~RowRanking() {
  if (blas_ != nullptr) static_cast<void>(::cublasDestroy(blas_));
}

Status RowRanking::Reserve(size_t queries, size_t rows, size_t wanted) {
  const RankingPlan plan(queries, rows, wanted);
  const size_t slices = plan.SlicesOf(plan.rows);
  if (slices > 1) {
    FACEGATE_RETURN_IF_ERROR(slices_.Reserve(plan.queries * slices * wanted));
    FACEGATE_RETURN_IF_ERROR(fewer_slices_.Reserve(plan.queries * slices / 2 * wanted));
  }
  if (plan.tiles == 1) return OkStatus();
  return tiles_.Reserve(plan.queries * plan.tiles * wanted);
}

Status RowRanking::Rank(const HalfVectors& queries, const HalfVectors& rows, size_t dimension,
                        size_t wanted, float* products, int* places) {
  const RankingPlan plan(queries.count, rows.count, wanted);
  const int count = IntOf(wanted);
  for (size_t first = 0; first < queries.count; first += plan.queries) {
    const HalfVectors some{.halves = queries.halves + first * dimension,
                           .count = std::min(plan.queries, queries.count - first)};
    const Selected best{products + first * wanted, places + first * wanted, count};
    if (plan.tiles == 1) {
      FACEGATE_RETURN_IF_ERROR(RankTile(plan, some, rows, dimension, best));
      continue;
    }
    const Selected all = tiles_.Of(IntOf(plan.tiles * wanted));
    for (size_t tile = 0; tile < plan.tiles; ++tile) {
      const size_t at = tile * plan.rows;
      const HalfVectors here{.halves = rows.halves + at * dimension,
                             .count = std::min(plan.rows, rows.count - at)};
      const Selected of_tile{all.products + tile * wanted, all.places + tile * wanted, all.stride};
      FACEGATE_RETURN_IF_ERROR(RankTile(plan, some, here, dimension, of_tile));
    }
    AddOffsets(all.places, IntOf(some.count), IntOf(plan.tiles), count, IntOf(plan.rows), stream_);
    SelectBestOf(all, {IntOf(some.count), all.stride}, count, best, stream_);
  }
  return OkStatus();
}

Status RowRanking::RankTile(const RankingPlan& plan, const HalfVectors& queries,
                            const HalfVectors& rows, size_t dimension, Selected best) {
  size_t slices = plan.SlicesOf(rows.count);
  const size_t length = RankingPlan::SliceLength(rows.count, slices);
  const size_t stride = slices == 1 ? rows.count : slices * length;
  FACEGATE_RETURN_IF_ERROR(Multiply(queries, rows, dimension, stride));
  const int wanted = IntOf(plan.wanted);
  if (slices == 1) {
    SelectBest(products_.data(), {IntOf(queries.count), IntOf(rows.count)}, wanted, best, stream_);
    return OkStatus();
  }
  Selected of_slices = slices_.Of(wanted);
  Selected next = fewer_slices_.Of(wanted);
  SelectBest(products_.data(), {IntOf(queries.count * slices), IntOf(length)}, wanted, of_slices,
             stream_);
  AddOffsets(of_slices.places, IntOf(queries.count), IntOf(slices), wanted, IntOf(length), stream_);
  while (slices > 1) {
    // The best of neighbours lie one after the other, as one list.
    const size_t fan = std::min(slices, kFan);
    slices /= fan;
    const Selected joined{of_slices.products, of_slices.places, IntOf(fan) * wanted};
    SelectBestOf(joined, {IntOf(queries.count * slices), joined.stride}, wanted,
                 slices == 1 ? best : next, stream_);
    std::swap(of_slices, next);
  }
  return OkStatus();
}

Status RowRanking::Multiply(const HalfVectors& queries, const HalfVectors& rows, size_t dimension,
                            size_t stride) {
  if (stride > rows.count) {
    FACEGATE_RETURN_IF_ERROR(cuda::StatusOf(
        ::cudaMemset2DAsync(products_.data() + rows.count, stride * sizeof(float), kFillByte,
                            (stride - rows.count) * sizeof(float), queries.count, stream_),
        "filling up products"));
  }
  const float one = 1.0f;
  const float zero = 0.0f;
  // cublasGemmEx() with this type multiplies halves exactly and adds in float32, on tensor cores or
  // not; HalfDotErrorBound() holds for both. cuBLAS takes columns for rows.
  const auto multiply = [&](cublasComputeType_t type) {
    return ::cublasGemmEx(blas_, CUBLAS_OP_T, CUBLAS_OP_N, IntOf(rows.count), IntOf(queries.count),
                          IntOf(dimension), &one, rows.halves, CUDA_R_16F, IntOf(dimension),
                          queries.halves, CUDA_R_16F, IntOf(dimension), &zero, products_.data(),
                          CUDA_R_32F, IntOf(stride), type, CUBLAS_GEMM_DEFAULT);
  };
  cublasStatus_t status = multiply(CUBLAS_COMPUTE_32F);
  // FAISS has met shapes that only this knows (faiss/gpu/utils/MatrixMult-inl.cuh).
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) status = multiply(CUBLAS_COMPUTE_32F_PEDANTIC);
  return StatusOf(status, "cuBLAS cannot multiply");
}

}  // namespace facegate::cuda
