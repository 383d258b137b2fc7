#include "index/rows/code_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "index/rows/vector_code.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

using ::testing::Each;
using ::testing::ElementsAreArray;

constexpr float kNoLimit = std::numeric_limits<float>::infinity();

struct alignas(kChunkBytes) AlignedChunk {
  uint8_t codes[kChunkBytes];
};

// A block, full of other bytes before it is encoded.
struct FilledBlock {
  FilledBlock(std::span<const float> rows, size_t dimension)
      : chunks(ChunksOf(dimension)), scale(kBlockRows, 7.0f), residual(kBlockRows, 7.0f) {
    for (AlignedChunk& chunk : chunks) std::fill_n(chunk.codes, kChunkBytes, uint8_t{0xA5});
    EncodeBlock(
        rows, dimension,
        {.codes = chunks.data()->codes, .scale = scale.data(), .residual = residual.data()});
  }

  // All that there is room for.
  std::vector<int> CodesOf(size_t row) const {
    std::vector<int> codes;
    for (const AlignedChunk& chunk : chunks) {
      for (size_t i = 0; i < kChunkCodes; ++i) {
        codes.push_back(chunk.codes[row * kChunkCodes + i] - kCodeOffset);
      }
    }
    return codes;
  }

  std::vector<AlignedChunk> chunks;
  std::vector<float> scale;
  std::vector<float> residual;
};

// A unit vector, or one of those that get no codes.
std::vector<float> RowOfAnyKind(std::mt19937_64& random, size_t size, size_t kind) {
  const Embedding unit = RandomEmbedding(random, size);
  std::vector<float> row(unit.values().begin(), unit.values().end());
  const size_t place = random() % size;
  switch (kind % 8) {
    case 1:
      return std::vector<float>(size, 0.0f);
    case 2:
      return std::vector<float>(size, -1e-40f);
    case 3:
      row[place] = std::nanf("");
      return row;
    case 4:
      row[place] = -kNoLimit;
      return row;
    case 5:
      row[place] = 3e38f;
      return row;
    case 6:  // all on one value
      row.assign(size, 0.0f);
      row[place] = -1.0f;
      return row;
    default:
      return row;
  }
}

std::vector<float> RowsOfAllKinds(std::mt19937_64& random, size_t count, size_t dimension) {
  std::vector<float> rows;
  for (size_t i = 0; i < count; ++i) {
    const std::vector<float> row = RowOfAnyKind(random, dimension, i + count);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

constexpr size_t kCodedDimensions[] = {1, 3, 4, 16, 17, 128, 512, 513};

TEST(CodeBlockTest, HasTheCodesOfEachVectorBitForBit) {
  std::mt19937_64 random(11);
  for (const size_t dimension : kCodedDimensions) {
    for (size_t count = 1; count <= kBlockRows; ++count) {
      const std::vector<float> rows = RowsOfAllKinds(random, count, dimension);
      const FilledBlock block(rows, dimension);
      for (size_t row = 0; row < count; ++row) {
        std::vector<int8_t> codes(dimension);
        const VectorCode code =
            EncodeVector(std::span(rows).subspan(row * dimension, dimension), codes);
        std::vector<int> expected(codes.begin(), codes.end());
        expected.resize(ChunksOf(dimension) * kChunkCodes, 0);
        ASSERT_THAT(block.CodesOf(row), ElementsAreArray(expected)) << dimension << " " << row;
        ASSERT_EQ(std::bit_cast<uint32_t>(block.scale[row]), std::bit_cast<uint32_t>(code.scale));
        ASSERT_EQ(std::bit_cast<uint32_t>(block.residual[row]),
                  std::bit_cast<uint32_t>(code.residual));
      }
    }
  }
}

TEST(CodeBlockTest, LetsNoFilterPassAPlaceWithoutARow) {
  std::mt19937_64 random(12);
  for (const size_t dimension : kCodedDimensions) {
    for (size_t count = 0; count < kBlockRows; ++count) {
      const FilledBlock block(RowsOfAllKinds(random, count, dimension), dimension);
      for (size_t row = count; row < kBlockRows; ++row) {
        EXPECT_EQ(block.residual[row], -kNoLimit);
        EXPECT_EQ(block.scale[row], 0.0f);
        EXPECT_THAT(block.CodesOf(row), Each(0));
      }
    }
  }
}

TEST(CodeBlockTest, HasAMultipleOfFourChunks) {
  EXPECT_EQ(ChunksOf(1), 4U);
  EXPECT_EQ(ChunksOf(16), 4U);
  EXPECT_EQ(ChunksOf(17), 8U);
  EXPECT_EQ(ChunksOf(512), 128U);
  EXPECT_EQ(ChunksOf(513), 132U);
}

}  // namespace
}  // namespace facegate
