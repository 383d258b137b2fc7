#pragma once

#include "index/rows/code_kernels.h"

// The source of each CodeKernel, over the operations of one instruction set, which the file that
// includes it defines before: the types Rows (the codes of a chunk), Query (four codes of a query,
// ready to be multiplied with those of each row) and Sums, and
//
//   kQueriesOfTile       how many queries' sums fit into the registers beside what else is needed
//   kBlocksOfTile        and for how many blocks, where that many queries are there
//   kPartsOfOne, kPartsOfTwo   see ScanTile(), for one query and for two
//   LoadRows(from), LoadQuery(from)
//   AddProduct(sums, rows, query)
//   Added(sums, sums)    the sums of both
//   StoreSums(sums, to)
//   Passing(sums, scale, residual, filter)   as CodeFilter says
//
// It is compiled with flags of an instruction set that the processor may lack, so everything is
// internal to the file that includes it, and no inline function of another header is used but the
// compiler's own for instructions: of an inline function that several files compile, the linker
// keeps one, which may be the one with those flags.

namespace facegate {
namespace {

// One tile of the product of rows and queries. kParts sums of every kind take turns, so that an
// addition need not wait for the one before it.
template <size_t kBlocks, size_t kQueries, size_t kParts>
void ScanTile(const CodeScanArgs& args, size_t block, size_t query) {
  Sums sums[kParts][kBlocks][kQueries] = {};
  const size_t block_bytes = args.chunks * kChunkBytes;
  const size_t query_bytes = args.queries * kChunkCodes;
  const uint8_t* codes = args.codes + block * block_bytes;
  const int8_t* query_codes = args.query_codes + query * kChunkCodes;
  for (size_t chunk = 0; chunk < args.chunks; chunk += kParts) {
#pragma GCC unroll 8
    for (size_t part = 0; part < kParts; ++part) {
      Rows rows[kBlocks];
#pragma GCC unroll 8
      for (size_t b = 0; b < kBlocks; ++b) rows[b] = LoadRows(codes + b * block_bytes);
#pragma GCC unroll 8
      for (size_t q = 0; q < kQueries; ++q) {
        const Query factor = LoadQuery(query_codes + q * kChunkCodes);
#pragma GCC unroll 8
        for (size_t b = 0; b < kBlocks; ++b) AddProduct(sums[part][b][q], rows[b], factor);
      }
      codes += kChunkBytes;
      query_codes += query_bytes;
    }
  }
#pragma GCC unroll 8
  for (size_t b = 0; b < kBlocks; ++b) {
    const size_t first_row = (block + b) * kBlockRows;
#pragma GCC unroll 8
    for (size_t q = 0; q < kQueries; ++q) {
      Sums total = sums[0][b][q];
#pragma GCC unroll 8
      for (size_t part = 1; part < kParts; ++part) total = Added(total, sums[part][b][q]);
      const size_t place = (block + b) * args.queries + query + q;
      StoreSums(total, args.sums + place * kBlockRows);
      args.passing[place] = Passing(args.sums + place * kBlockRows, args.scale + first_row,
                                    args.residual + first_row, args.filters[query + q]);
    }
  }
}

template <size_t kQueries, size_t kParts>
void ScanBlocks(const CodeScanArgs& args, size_t query) {
  constexpr size_t kBlocks = kQueries == kQueriesOfTile ? kBlocksOfTile : 1;
  size_t block = 0;
  for (; block + kBlocks <= args.blocks; block += kBlocks) {
    ScanTile<kBlocks, kQueries, kParts>(args, block, query);
  }
  for (; block < args.blocks; ++block) ScanTile<1, kQueries, kParts>(args, block, query);
}

void ScanCodes(const CodeScanArgs& args) {
  constexpr size_t kOfTwo = kQueriesOfTile < 2 ? kQueriesOfTile : 2;
  constexpr size_t kOfFour = kQueriesOfTile < 4 ? kQueriesOfTile : 4;
  switch (args.queries) {
    case 1:
      return ScanBlocks<1, kPartsOfOne>(args, 0);
    case 2:
      for (size_t query = 0; query < 2; query += kOfTwo) {
        ScanBlocks<kOfTwo, kPartsOfTwo>(args, query);
      }
      return;
    case 4:
      for (size_t query = 0; query < 4; query += kOfFour) {
        ScanBlocks<kOfFour, 1>(args, query);
      }
      return;
    default:
      for (size_t query = 0; query < args.queries; query += kQueriesOfTile) {
        ScanBlocks<kQueriesOfTile, 1>(args, query);
      }
  }
}

}  // namespace
}  // namespace facegate
