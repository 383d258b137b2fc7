#pragma once

#include <utility>

#include "index/rows/code_kernels.h"

// The loop of the kernel for AMX, over the operations of a class Tiles: those of the processor
// (code_amx.cc), or a model of them in plain C++, by which tests check the loop on every processor.
//
// A tile is a register of up to 16 rows of 64 bytes. One instruction multiplies a tile of queries
// (16 queries, 64 codes of each, with a sign) with a tile of rows (16 chunks of a block as they
// lie: without a sign), and adds to a tile of sums: 16 queries in the rows, the block's rows in the
// columns, as they lie in CodeScanArgs::sums. The tile of queries alone must be put in order first.
//
//   Configure(config), Release()             around all others
//   Zero<tile>()
//   Load<tile>(from), Store<tile>(to)        rows that lie kTileRowBytes apart
//   AddProduct<sums, queries, rows>()        numbers of three tiles
//   Passing(sums, scale, residual, filter)   as CodeFilter says
//
// Everything is internal to the file that includes it, as code_body.h explains; <utility> is here
// for the types of sequences.

namespace facegate {
namespace {

constexpr size_t kTileRows = 16;
constexpr size_t kTileRowBytes = 64;
constexpr size_t kTileBytes = kTileRows * kTileRowBytes;
static_assert(kTileRowBytes == kChunkBytes && kTileRows == kMostQueriesAtOnce);

// What the instruction that configures the tiles reads.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};  // of each tile
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

// A product is ready after about 52 cycles and another can begin every 16, so four sums take turns.
constexpr size_t kSumTiles = 4;  // the first ones
constexpr size_t kQueryTile = 4;
constexpr size_t kFirstRowTile = 5;
constexpr size_t kRowTiles = 3;
constexpr size_t kTiles = kFirstRowTile + kRowTiles;
constexpr size_t RowTileOf(size_t block) { return kFirstRowTile + block % kRowTiles; }

// Codes of queries that are put in order at a time: 32 KiB, which stay in the nearest cache.
constexpr size_t kPanelSteps = 32;

// How many chunks a tile of rows has.
size_t DepthOf(const CodeScanArgs& args) {
  return args.chunks < kTileRows ? args.chunks : kTileRows;
}

// Where a step begins that takes one tile of each row. The last one begins earlier where otherwise
// it would end behind the block.
size_t FirstChunkOf(const CodeScanArgs& args, size_t step) {
  const size_t last = args.chunks - DepthOf(args);
  return step * kTileRows < last ? step * kTileRows : last;
}

TileConfig ConfigFor(const CodeScanArgs& args) {
  TileConfig config;
  for (size_t tile = 0; tile < kTiles; ++tile) {
    config.rows[tile] = static_cast<uint8_t>(tile < kFirstRowTile ? args.queries : DepthOf(args));
    config.row_bytes[tile] = kTileRowBytes;
  }
  config.row_bytes[kQueryTile] = static_cast<uint16_t>(DepthOf(args) * kChunkCodes);
  return config;
}

// The tile of queries of one step. Chunks that the step before has had count as zero.
void PackQueries(const CodeScanArgs& args, size_t step, int8_t* to) {
  const size_t first = FirstChunkOf(args, step);
  for (size_t i = 0; i < DepthOf(args); ++i) {
    const size_t chunk = first + i;
    for (size_t query = 0; query < args.queries; ++query) {
      int32_t four = 0;
      if (chunk >= step * kTileRows) {
        __builtin_memcpy(&four, args.query_codes + (chunk * args.queries + query) * kChunkCodes,
                         kChunkCodes);
      }
      __builtin_memcpy(to + query * kTileRowBytes + i * kChunkCodes, &four, kChunkCodes);
    }
  }
}

// Some steps, with their queries in order.
struct QueryPanel {
  size_t first_step = 0;
  size_t steps = 0;
  const int8_t* codes = nullptr;  // kTileBytes for each
};

// To the sums of as many blocks as there are numbers.
template <size_t... kBlock, typename Tiles>
void AddPanel(std::index_sequence<kBlock...>, const CodeScanArgs& args, const QueryPanel& panel,
              size_t block, Tiles& tiles) {
  static_assert(sizeof...(kBlock) <= kSumTiles);
  const size_t block_bytes = args.chunks * kChunkBytes;
  const size_t block_sums = args.queries * kBlockRows;
  const uint8_t* const codes = args.codes + block * block_bytes;
  int32_t* const sums = args.sums + block * block_sums;
  if (panel.first_step == 0) {
    (tiles.template Zero<kBlock>(), ...);
  } else {
    (tiles.template Load<kBlock>(sums + kBlock * block_sums), ...);
  }
  for (size_t i = 0; i < panel.steps; ++i) {
    const uint8_t* const from = codes + FirstChunkOf(args, panel.first_step + i) * kChunkBytes;
    tiles.template Load<kQueryTile>(panel.codes + i * kTileBytes);
    ((tiles.template Load<RowTileOf(kBlock)>(from + kBlock * block_bytes),
      tiles.template AddProduct<kBlock, kQueryTile, RowTileOf(kBlock)>()),
     ...);
  }
  (tiles.template Store<kBlock>(sums + kBlock * block_sums), ...);
}

template <typename Tiles>
void AddPanelToAll(const CodeScanArgs& args, const QueryPanel& panel, Tiles& tiles) {
  size_t block = 0;
  for (; block + kSumTiles <= args.blocks; block += kSumTiles) {
    AddPanel(std::make_index_sequence<kSumTiles>(), args, panel, block, tiles);
  }
  for (; block < args.blocks; ++block)
    AddPanel(std::make_index_sequence<1>(), args, panel, block, tiles);
}

template <typename Tiles>
void ScanByTiles(const CodeScanArgs& args, Tiles& tiles) {
  alignas(kTileRowBytes) int8_t codes[kPanelSteps * kTileBytes];
  const size_t steps = (args.chunks + kTileRows - 1) / kTileRows;
  tiles.Configure(ConfigFor(args));
  for (size_t first = 0; first < steps; first += kPanelSteps) {
    const size_t left = steps - first;
    const QueryPanel panel{
        .first_step = first, .steps = left < kPanelSteps ? left : kPanelSteps, .codes = codes};
    for (size_t i = 0; i < panel.steps; ++i) PackQueries(args, first + i, codes + i * kTileBytes);
    AddPanelToAll(args, panel, tiles);
  }
  tiles.Release();
  for (size_t block = 0; block < args.blocks; ++block) {
    for (size_t query = 0; query < args.queries; ++query) {
      const size_t place = block * args.queries + query;
      args.passing[place] =
          Tiles::Passing(args.sums + place * kBlockRows, args.scale + block * kBlockRows,
                         args.residual + block * kBlockRows, args.filters[query]);
    }
  }
}

}  // namespace
}  // namespace facegate
