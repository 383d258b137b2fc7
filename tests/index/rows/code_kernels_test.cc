#include "index/rows/code_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "index/rows/code_block.h"
#include "tests/index/rows/tile_model.h"

namespace facegate {
namespace {

using ::testing::ElementsAreArray;

struct alignas(kChunkBytes) Chunk {
  uint8_t codes[kChunkBytes];
};

// What a kernel reads and fills, with the codes that `draw` gives.
class Scanned {
 public:
  template <typename Draw>
  Scanned(size_t blocks, size_t chunks, size_t queries, Draw draw)
      : codes_(blocks * chunks),
        query_codes_(chunks * queries * kChunkCodes),
        scale_(blocks * kBlockRows),
        residual_(blocks * kBlockRows),
        filters_(queries),
        sums_(blocks * queries * kBlockRows),
        passing_(blocks * queries) {
    for (Chunk& chunk : codes_) {
      for (uint8_t& code : chunk.codes) code = static_cast<uint8_t>(draw() + kCodeOffset);
    }
    for (int8_t& code : query_codes_) code = static_cast<int8_t>(draw());
    for (size_t i = 0; i < scale_.size(); ++i) {
      scale_[i] = 1e-3f * static_cast<float>(i % 7);
      residual_[i] = 0.1f * static_cast<float>(i % 5);
    }
    args_ = {.blocks = blocks,
             .chunks = chunks,
             .codes = codes_.front().codes,
             .scale = scale_.data(),
             .residual = residual_.data(),
             .queries = queries,
             .query_codes = query_codes_.data(),
             .filters = filters_.data(),
             .sums = sums_.data(),
             .passing = passing_.data()};
  }

  std::vector<int32_t> PlainSums() const {
    std::vector<int32_t> sums;
    for (size_t block = 0; block < args_.blocks; ++block) {
      for (size_t q = 0; q < args_.queries; ++q) {
        for (size_t row = 0; row < kBlockRows; ++row) sums.push_back(PlainSum(block, q, row));
      }
    }
    return sums;
  }

  const CodeScanArgs& args() const { return args_; }
  std::vector<float>& residual() { return residual_; }
  std::vector<CodeFilter>& filters() { return filters_; }
  const std::vector<int32_t>& sums() const { return sums_; }
  const std::vector<uint16_t>& passing() const { return passing_; }

 private:
  int32_t PlainSum(size_t block, size_t query, size_t row) const {
    int32_t sum = 0;
    for (size_t i = 0; i < args_.chunks * kChunkCodes; ++i) {
      const size_t chunk = i / kChunkCodes;
      const size_t within = i % kChunkCodes;
      sum += codes_[block * args_.chunks + chunk].codes[row * kChunkCodes + within] *
             query_codes_[(chunk * args_.queries + query) * kChunkCodes + within];
    }
    return sum;
  }

  std::vector<Chunk> codes_;
  std::vector<int8_t> query_codes_;
  std::vector<float> scale_;
  std::vector<float> residual_;
  std::vector<CodeFilter> filters_;
  std::vector<int32_t> sums_;
  std::vector<uint16_t> passing_;
  CodeScanArgs args_;
};

// What this processor can run, and what stands in for tiles.
std::vector<CodeKernel> TestedCodeKernels() {
  std::vector<CodeKernel> kernels = UsableCodeKernels();
  kernels.push_back(TileModelKernel());
  if (const auto emulated = EmulatedAmxCodeKernel()) kernels.push_back(*emulated);
  return kernels;
}

class CodeKernelTest : public ::testing::TestWithParam<CodeKernel> {
 protected:
  // The numbers of queries that the kernel takes.
  std::vector<size_t> Widths() const {
    std::vector<size_t> widths;
    for (size_t width = 1; width <= GetParam().queries_at_once; width *= 2) widths.push_back(width);
    return widths;
  }

  std::mt19937_64 random_{3};
};

INSTANTIATE_TEST_SUITE_P(Kernels, CodeKernelTest, ::testing::ValuesIn(TestedCodeKernels()),
                         [](const ::testing::TestParamInfo<CodeKernel>& param) {
                           std::string name(param.param.name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(CodeKernelTest, SumsAsAPlainLoopDoes) {
  for (const size_t blocks : std::vector<size_t>{1, 2, 3, 5, 8}) {
    for (const size_t dimension : std::vector<size_t>{1, 16, 17, 48, 64, 65, 128, 513}) {
      for (const size_t queries : Widths()) {
        Scanned scanned(blocks, ChunksOf(dimension), queries,
                        [&] { return static_cast<int>(random_() % 255) - 127; });
        GetParam().scan(scanned.args());
        ASSERT_THAT(scanned.sums(), ElementsAreArray(scanned.PlainSums()))
            << blocks << " blocks, " << dimension << " values, " << queries << " queries";
      }
    }
  }
}

// More than a kernel may put in order at a time.
TEST_P(CodeKernelTest, SumsVectorsOfThousandsOfValues) {
  for (const size_t dimension : std::vector<size_t>{2048, 2064, 4112}) {
    Scanned scanned(2, ChunksOf(dimension), GetParam().queries_at_once,
                    [&] { return static_cast<int>(random_() % 255) - 127; });
    GetParam().scan(scanned.args());
    ASSERT_THAT(scanned.sums(), ElementsAreArray(scanned.PlainSums())) << dimension;
  }
}

// Where an instruction saturates, these sums show it.
TEST_P(CodeKernelTest, SumsTheLargestCodesWithoutSaturation) {
  for (const int sign : {1, -1}) {
    for (const size_t queries : std::vector<size_t>{1, 8}) {
      int drawn = 0;
      // First the codes of rows, all 127, then those of queries.
      const int of_rows = 16384 * static_cast<int>(kChunkBytes);
      Scanned scanned(1, 16384, queries, [&] { return drawn++ < of_rows ? 127 : sign * 127; });
      GetParam().scan(scanned.args());
      EXPECT_THAT(scanned.sums(), ::testing::Each(sign * 65536 * 255 * 127));
    }
  }
}

TEST_P(CodeKernelTest, PassesRowsThatReachTheFloorAndThoseThatAreNoNumber) {
  for (const size_t queries : Widths()) {
    Scanned scanned(3, 4, queries, [&] { return static_cast<int>(random_() % 255) - 127; });
    scanned.residual()[5] = std::numeric_limits<float>::infinity();
    scanned.residual()[6] = -std::numeric_limits<float>::infinity();
    scanned.residual()[7] = std::nanf("");
    for (size_t q = 0; q < queries; ++q) {
      scanned.filters()[q] = {.offset = 1000 * static_cast<int32_t>(q),
                              .by_sum = 1e-3f,
                              .by_residual = 0.5f,
                              .floor = 0.02f * static_cast<float>(q)};
    }
    if (queries > 1) scanned.filters().back().floor = std::numeric_limits<float>::infinity();
    GetParam().scan(scanned.args());
    const CodeScanArgs& args = scanned.args();
    for (size_t i = 0; i < scanned.sums().size(); ++i) {
      const size_t row = i / (queries * kBlockRows) * kBlockRows + i % kBlockRows;
      const CodeFilter& filter = args.filters[i / kBlockRows % queries];
      const float upper = static_cast<float>(scanned.sums()[i] - filter.offset) *
                              (args.scale[row] * filter.by_sum) +
                          args.residual[row] * filter.by_residual;
      if (std::abs(upper - filter.floor) < 1e-6f) continue;  // rounding decides
      const bool passes = (scanned.passing()[i / kBlockRows] >> (i % kBlockRows) & 1) != 0;
      EXPECT_EQ(passes, !(upper < filter.floor)) << i << " of " << queries << " queries";
    }
  }
}

#if defined(__x86_64__) && defined(__linux__)

// The flags by which Linux tells what the processor has and what the system lets programs use.
std::set<std::string> ProcessorFlags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

std::vector<std::string_view> NamesOf(const std::vector<CodeKernel>& kernels) {
  std::vector<std::string_view> names;
  names.reserve(kernels.size());
  for (const CodeKernel& kernel : kernels) names.push_back(kernel.name);
  return names;
}

TEST(CodeKernelsTest, AreThoseThatTheProcessorHasTheFastestFirst) {
  const std::set<std::string> flags = ProcessorFlags();
  ASSERT_FALSE(flags.empty());
  const auto has = [&](std::initializer_list<const char*> wanted) {
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const char* flag) { return flags.contains(flag); });
  };
  std::vector<std::string_view> usable;
  std::vector<std::string_view> unusable;
  const bool has_vnni = has({"avx512f", "avx512_vnni"});
  (has_vnni && has({"amx_tile", "amx_int8"}) ? usable : unusable).push_back("amx-int8");
  (has_vnni ? usable : unusable).push_back("avx512-vnni");
  (has({"avx2", "fma"}) ? usable : unusable).push_back("avx2");
  usable.push_back("portable");
  EXPECT_EQ(NamesOf(UsableCodeKernels()), usable);
  EXPECT_EQ(UnusableCodeKernels(), unusable);
}

#endif

}  // namespace
}  // namespace facegate
