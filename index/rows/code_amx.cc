// Compiled for AMX with AVX-512 VNNI where the compiler targets x86-64 (CMakeLists.txt).
#include "index/rows/code_kernels.h"

#if defined(__x86_64__)

#include "index/rows/code_amx_body.h"
#include "index/rows/code_avx512_filter.h"

namespace facegate {
namespace {

// A batch of fewer queries waits for the memory that the codes are read from, whatever multiplies
// them, and AVX-512 needs no order of queries of its own. (Four queries take 64 instructions for a
// chunk of 16 blocks, of which a processor does two a cycle: 32 bytes of codes a cycle, where the
// memory gives a core about five.)
constexpr size_t kLeastQueries = 8;

// The instructions are written out, since what the compilers' headers have for them does not tell
// the compiler that memory is read.
struct AmxTiles {
  void Configure(const TileConfig& config) { asm volatile("ldtilecfg %0" : : "m"(config)); }
  void Release() { asm volatile("tilerelease"); }

  template <size_t kTile>
  void Zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <size_t kTile>
  void Load(const void* from) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0"
                 :
                 : "i"(kTile), "r"(from), "r"(kTileRowBytes)
                 : "memory");
  }
  template <size_t kTile>
  void Store(void* to) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)"
                 :
                 : "i"(kTile), "r"(to), "r"(kTileRowBytes)
                 : "memory");
  }
  // The factor with signs first, as Intel writes it; what is assembled here has the operands in the
  // opposite order.
  template <size_t kSums, size_t kQueries, size_t kRows>
  void AddProduct() {
    asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kQueries), "i"(kRows));
  }

  static uint16_t Passing(const int32_t* sums, const float* scale, const float* residual,
                          const CodeFilter& filter) {
    return PassingByAvx512(sums, scale, residual, filter);
  }
};

}  // namespace

void ScanCodesByAmx(const CodeScanArgs& args) {
  if (args.queries < kLeastQueries) return ScanCodesByAvx512(args);
  AmxTiles tiles;
  ScanByTiles(args, tiles);
}

}  // namespace facegate

#endif
